-- What is asked of another system's database about {query}, the query of the configuration. {mark} is its high-water
-- column. The texts keep to what SQLite, PostgreSQL and others have in common: no AS before the name of a table.

-- name: columns
SELECT q.* FROM (
{query}
) q WHERE 1 = 0

-- name: first_marks
SELECT q.{mark} FROM (
{query}
) q WHERE q.{mark} IS NOT NULL ORDER BY q.{mark}

-- name: next_marks
SELECT q.{mark} FROM (
{query}
) q WHERE q.{mark} > {parameter} ORDER BY q.{mark}

-- The rows from one mark to another, and the other rows of their records, so that no record comes in part.
-- name: records
SELECT q.* FROM (
{query}
) q WHERE q.{mark} >= {parameter} AND q.{mark} <= {parameter}
UNION ALL
SELECT q.* FROM (
{query}
) q JOIN (SELECT DISTINCT {keys} FROM (
{query}
) w WHERE w.{mark} >= {parameter} AND w.{mark} <= {parameter}) k ON {same}
WHERE q.{mark} < {parameter} OR q.{mark} > {parameter} OR q.{mark} IS NULL
