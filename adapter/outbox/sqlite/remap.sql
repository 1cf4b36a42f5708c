-- Records by their newest revision, to be mapped again.

-- name: stored_records
SELECT subject_key FROM record_subject
WHERE subject_key > ?1
  AND (?2 = '' OR site = ?2)
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM record_revision AS r
                             JOIN inbox AS i ON i.inbox_id = r.inbox_id
                             WHERE r.subject_key = record_subject.subject_key AND i.received_us >= ?3
                               AND r.revision = (SELECT max(n.revision) FROM record_revision AS n
                                                 WHERE n.subject_key = r.subject_key)))
ORDER BY subject_key
LIMIT ?4;

-- name: stored_records_of_id
SELECT subject_key FROM record_subject
WHERE record_id = ?1 AND subject_key > ?2 AND (?3 = '' OR site = ?3)
ORDER BY subject_key
LIMIT ?4;

-- The work that says what the newest revision is to be on the server: its last one.
-- name: last_work
SELECT position
FROM work_item INDEXED BY work_item_subject
WHERE subject_key = ?1 AND state <> 'superseded'
  AND revision = (SELECT max(revision) FROM record_revision WHERE subject_key = ?1)
ORDER BY position DESC
LIMIT 1;
