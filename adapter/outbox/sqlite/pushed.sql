-- Observations that the EHR pushed.

-- name: version
SELECT r.revision, i.received_us, raw.bytes, w.state, w.position, p.mrn, i.receipt
FROM record_revision AS r
JOIN inbox AS i ON i.inbox_id = r.inbox_id
JOIN inbox_raw AS raw ON raw.inbox_id = r.inbox_id
JOIN work_item AS w ON w.work_id = i.receipt
JOIN patient AS p ON p.patient_key = r.patient_key
WHERE r.subject_key = ?1 AND (?2 = 0 OR r.revision = ?2)
ORDER BY r.revision DESC
LIMIT 1;

-- name: subjects_of_identifier
SELECT DISTINCT s.record_id
FROM pushed_identifier AS p INDEXED BY pushed_identifier_value
JOIN record_subject AS s ON s.subject_key = p.subject_key
WHERE p.value = ?1 AND (?2 IS NULL OR p.system = ?2) AND s.site = ?3
ORDER BY s.record_id
LIMIT 2;

-- name: delete_identifiers
DELETE FROM pushed_identifier WHERE subject_key = ?;

-- name: insert_identifier
INSERT INTO pushed_identifier (subject_key, system, value) VALUES (?, ?, ?)
ON CONFLICT (subject_key, system, value) DO NOTHING;

-- name: patient_of_reference
SELECT p.mrn
FROM patient_found AS f
JOIN patient AS p ON p.patient_key = f.patient_key
WHERE f.endpoint = ? AND f.server_id = ?;

-- name: linked_patient
SELECT p.mrn
FROM patient_link AS l INDEXED BY patient_link_server
JOIN patient AS p ON p.patient_key = l.patient_key
WHERE l.server_id = ?
LIMIT 1;

-- name: owner_of_place
SELECT p.mrn
FROM resource_ledger AS l INDEXED BY resource_ledger_server
JOIN patient AS p ON p.patient_key = l.patient_key
WHERE l.type = ? AND l.server_id = ? AND l.endpoint = ?
LIMIT 1;

-- name: owner_of_identifier
SELECT p.mrn
FROM resource_ledger AS l
JOIN patient AS p ON p.patient_key = l.patient_key
WHERE l.endpoint = ? AND l.type = ? AND l.system = ? AND l.value = ?
LIMIT 1;
