-- For the auditor: which records a selector means, and all that the store holds of one.

-- The key of a subject is not always made of these two alone: what the EHR pushed has its own.
-- name: subjects_of_record
SELECT subject_key FROM record_subject WHERE record_id = ? AND site = ? ORDER BY subject_key LIMIT ?;

-- name: subjects_of_record_id
SELECT subject_key FROM record_subject WHERE record_id = ? ORDER BY subject_key LIMIT ?;

-- name: subjects_of_server_id
SELECT DISTINCT replace(subject_key, '#audit', '') AS subject_key
FROM resource_ledger INDEXED BY resource_ledger_server
WHERE type = ? AND server_id = ?
ORDER BY subject_key
LIMIT ?;

-- name: subjects_of_identifier
SELECT DISTINCT subject_key
FROM resource_ledger INDEXED BY resource_ledger_identifier
WHERE value = ? AND system = ?
ORDER BY subject_key
LIMIT ?;

-- name: subjects_of_mrn
SELECT DISTINCT r.subject_key
FROM patient AS p
JOIN record_revision AS r INDEXED BY record_revision_patient ON r.patient_key = p.patient_key
WHERE p.mrn = ?
ORDER BY r.subject_key
LIMIT ?;

-- A receipt, or the id of work that no record brought with it (a repair, rules that ran again).
-- name: subjects_of_receipt
SELECT subject_key FROM inbox WHERE receipt = ?1 AND subject_key IS NOT NULL
UNION
SELECT replace(subject_key, '#audit', '') FROM work_item WHERE work_id = ?1;

-- name: subject
SELECT site, record_id FROM record_subject WHERE subject_key = ?;

-- A record of which no revision could be taken.
-- name: refused_subject
SELECT site, record_id FROM inbox WHERE subject_key = ? AND disposition = 'rejected' LIMIT 1;

-- name: revisions_of_subject
SELECT r.revision, r.record_status, i.receipt, i.source, i.received_us, r.patient_key, raw.bytes,
       r.raw_commitment, r.audit_seq
FROM record_revision AS r
JOIN inbox AS i ON i.inbox_id = r.inbox_id
LEFT JOIN inbox_raw AS raw ON raw.inbox_id = r.inbox_id
WHERE r.subject_key = ?
ORDER BY r.revision;

-- name: refusals_of_subject
SELECT inbox_id, revision, receipt, source, received_us
FROM inbox
WHERE subject_key = ? AND disposition = 'rejected'
ORDER BY inbox_id;

-- name: work_of_subject
SELECT w.position, w.work_id, w.kind, w.revision, w.state, w.received_us, w.attempts, m.map_id, m.map_version,
       m.map_set_sha256, m.engine, m.output_sha256, a.bytes
FROM work_item AS w INDEXED BY work_item_subject
LEFT JOIN mapping AS m ON m.position = w.position
LEFT JOIN work_answer AS a ON a.position = w.position
WHERE w.subject_key = ?
ORDER BY w.revision, w.position;

-- name: remarks_of_subject
SELECT r.audit_seq, r.remark
FROM work_item AS w INDEXED BY work_item_subject
JOIN work_remark AS r ON r.position = w.position
WHERE w.subject_key = ?
ORDER BY r.audit_seq;

-- name: is_intended
SELECT 1
FROM work_item AS w INDEXED BY work_item_subject
JOIN work_resource AS r ON r.position = w.position
WHERE w.subject_key = ? AND r.system = ? AND r.value = ?
LIMIT 1;

-- name: expiry
SELECT expired_us FROM expiry WHERE subject_key = ?;
