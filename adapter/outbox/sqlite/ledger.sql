-- What the server is known to hold.

-- name: ledger_of_subject
SELECT l.endpoint, l.type, l.system, l.value, l.server_id, l.version_id, l.etag, l.sha256, l.revision,
       l.patient_key, l.patient_generation, l.nullified, c.bytes, m.bytes
FROM resource_ledger AS l INDEXED BY resource_ledger_subject
LEFT JOIN resource_content AS c ON c.ledger_id = l.ledger_id
LEFT JOIN resource_merged AS m ON m.ledger_id = l.ledger_id
WHERE l.subject_key = ? AND l.endpoint = ?
ORDER BY l.type, l.system, l.value;

-- name: ledger_of_subject_everywhere
SELECT l.endpoint, l.type, l.system, l.value, l.server_id, l.version_id, l.etag, l.sha256, l.revision,
       l.patient_key, l.patient_generation, l.nullified, c.bytes, m.bytes
FROM resource_ledger AS l INDEXED BY resource_ledger_subject
LEFT JOIN resource_content AS c ON c.ledger_id = l.ledger_id
LEFT JOIN resource_merged AS m ON m.ledger_id = l.ledger_id
WHERE l.subject_key = ?
ORDER BY l.endpoint, l.type, l.system, l.value;

-- name: ledger_row
SELECT l.endpoint, l.type, l.system, l.value, l.server_id, l.version_id, l.etag, l.sha256, l.revision,
       l.patient_key, l.patient_generation, l.nullified, c.bytes, m.bytes
FROM resource_ledger AS l
LEFT JOIN resource_content AS c ON c.ledger_id = l.ledger_id
LEFT JOIN resource_merged AS m ON m.ledger_id = l.ledger_id
WHERE l.endpoint = ? AND l.type = ? AND l.system = ? AND l.value = ?;

-- Of a record that was erased nothing is known that could be compared or repaired. An AuditEvent is not compared: a
-- server may move old ones elsewhere, and nothing depends on them.
-- name: subjects
SELECT DISTINCT l.subject_key
FROM resource_ledger AS l INDEXED BY resource_ledger_subject
WHERE l.subject_key > ?1 AND l.endpoint = ?2 AND l.type <> 'AuditEvent'
  AND NOT EXISTS (SELECT 1 FROM erasure AS e WHERE e.subject_key = l.subject_key)
  AND (?3 = '' OR EXISTS (SELECT 1 FROM resource_ledger AS m
                          JOIN patient AS p ON p.patient_key = m.patient_key
                          WHERE m.subject_key = l.subject_key AND m.endpoint = l.endpoint AND p.mrn = ?3))
  AND (?4 IS NULL OR EXISTS (SELECT 1 FROM work_item AS w
                             WHERE w.subject_key = l.subject_key AND w.received_us >= ?4))
ORDER BY l.subject_key
LIMIT ?5;

-- name: key_of
SELECT system, value FROM resource_ledger WHERE type = ? AND server_id = ? AND endpoint = ? LIMIT 1;

-- name: former_patients
SELECT DISTINCT patient_key
FROM resource_ledger
WHERE subject_key = ? AND endpoint = ? AND nullified = 0 AND patient_key <> ?
ORDER BY patient_key;

-- A row that was nullified stays with the patient in whose chart it stands.
-- name: write_ledger
INSERT INTO resource_ledger (endpoint, type, system, value, server_id, version_id, etag, sha256, subject_key,
                             revision, patient_key, patient_generation, nullified, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (endpoint, type, system, value) DO UPDATE
SET server_id = excluded.server_id, version_id = excluded.version_id, etag = excluded.etag,
    sha256 = excluded.sha256, subject_key = excluded.subject_key, revision = excluded.revision,
    patient_key = iif(excluded.nullified, patient_key, excluded.patient_key),
    patient_generation = iif(excluded.nullified, patient_generation, excluded.patient_generation),
    nullified = excluded.nullified, audit_seq = excluded.audit_seq
RETURNING ledger_id;

-- name: write_content
INSERT INTO resource_content (ledger_id, bytes) VALUES (?, ?)
ON CONFLICT (ledger_id) DO UPDATE SET bytes = excluded.bytes;

-- name: write_merged
INSERT INTO resource_merged (ledger_id, bytes) VALUES (?, ?)
ON CONFLICT (ledger_id) DO UPDATE SET bytes = excluded.bytes;

-- name: delete_merged
DELETE FROM resource_merged WHERE ledger_id = ?;
