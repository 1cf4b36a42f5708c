-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: checkpoint
PRAGMA wal_checkpoint(TRUNCATE);

-- name: find_resource
SELECT resource_key, version, is_deleted, updated_us FROM resource WHERE type = ? AND id = ?;

-- name: insert_resource
INSERT INTO resource (type, id, version, is_deleted, updated_us) VALUES (?, ?, ?, ?, ?)
RETURNING resource_key;

-- name: update_resource
UPDATE resource SET version = ?, is_deleted = ?, updated_us = ? WHERE resource_key = ?;

-- name: insert_version
INSERT INTO resource_version (resource_key, version, method, updated_us, content) VALUES (?, ?, ?, ?, ?);

-- name: delete_search_entries
DELETE FROM search_entry WHERE resource_key = ?;

-- name: delete_reference_entries
DELETE FROM reference_entry WHERE resource_key = ?;

-- name: insert_search_entry
INSERT INTO search_entry (resource_key, type, parameter, system, value, first_us, last_us)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: insert_reference_entry
INSERT INTO reference_entry (resource_key, target_type, target_id) VALUES (?, ?, ?);

-- name: is_referenced
SELECT 1 FROM reference_entry e WHERE e.target_type = ? AND e.target_id = ? AND e.resource_key <> ? LIMIT 1;

-- name: read_version
SELECT v.version, v.method, v.updated_us, v.content, r.id
FROM resource_version v JOIN resource r USING (resource_key)
WHERE r.resource_key = ? AND v.version = ?;

-- name: current_content
SELECT r.type, r.id, r.version, r.updated_us, v.content
FROM resource r JOIN resource_version v ON v.resource_key = r.resource_key AND v.version = r.version
WHERE r.resource_key = ?;

-- The newest first. NULL means any.
-- name: history
SELECT r.type, r.id, v.version, v.method, v.updated_us, v.content
FROM resource_version v JOIN resource r USING (resource_key)
WHERE (?1 IS NULL OR r.type = ?1) AND (?2 IS NULL OR r.id = ?2) AND v.updated_us >= ?3
ORDER BY v.updated_us DESC, v.resource_key DESC, v.version DESC
LIMIT ?4 OFFSET ?5;

-- name: history_total
SELECT count(*)
FROM resource_version v JOIN resource r USING (resource_key)
WHERE (?1 IS NULL OR r.type = ?1) AND (?2 IS NULL OR r.id = ?2) AND v.updated_us >= ?3;

-- name: all_of_type
SELECT resource_key FROM resource WHERE type = ? AND is_deleted = 0 ORDER BY resource_key;

-- name: by_id
SELECT resource_key FROM resource WHERE type = ? AND id = ? AND is_deleted = 0;

-- name: updated_times
SELECT resource_key, updated_us, updated_us FROM resource WHERE type = ? AND is_deleted = 0
ORDER BY resource_key;

-- name: by_value
SELECT DISTINCT resource_key FROM search_entry WHERE type = ? AND parameter = ? AND value = ?
ORDER BY resource_key;

-- name: by_system_and_value
SELECT DISTINCT resource_key FROM search_entry WHERE type = ? AND parameter = ? AND value = ? AND system = ?
ORDER BY resource_key;

-- name: by_system
SELECT DISTINCT resource_key FROM search_entry WHERE type = ? AND parameter = ? AND system = ?
ORDER BY resource_key;

-- name: by_prefix
SELECT DISTINCT resource_key FROM search_entry
WHERE type = ? AND parameter = ? AND substr(value, 1, length(?3)) = ?3
ORDER BY resource_key;

-- name: dates
SELECT resource_key, first_us, last_us FROM search_entry WHERE type = ? AND parameter = ?
ORDER BY resource_key;

-- name: count_by_type
SELECT type, count(*) FROM resource WHERE is_deleted = 0 GROUP BY type ORDER BY type;
