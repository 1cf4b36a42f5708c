-- Erasing a record: its content goes, what names it stays.

-- name: erasure
SELECT erased_us, finished_us, reason, audit_seq FROM erasure WHERE subject_key = ?;

-- name: insert_erasure
INSERT INTO erasure (subject_key, erased_us, reason, audit_seq) VALUES (?, ?, ?, ?);

-- name: finish_erasure
UPDATE erasure SET finished_us = ? WHERE subject_key = ? AND finished_us IS NULL;

-- name: unfinished_erasures
SELECT e.subject_key,
  coalesce(s.site, (SELECT i.site FROM inbox AS i INDEXED BY inbox_rejected
                    WHERE i.disposition = 'rejected' AND i.subject_key = e.subject_key LIMIT 1)),
  coalesce(s.record_id, (SELECT i.record_id FROM inbox AS i INDEXED BY inbox_rejected
                         WHERE i.disposition = 'rejected' AND i.subject_key = e.subject_key LIMIT 1))
FROM erasure AS e
LEFT JOIN record_subject AS s ON s.subject_key = e.subject_key
WHERE e.finished_us IS NULL
ORDER BY e.erased_us, e.subject_key;

-- name: name_of_subject
SELECT site, record_id FROM record_subject WHERE subject_key = ?1
UNION ALL
SELECT site, record_id FROM inbox INDEXED BY inbox_rejected WHERE disposition = 'rejected' AND subject_key = ?1
LIMIT 1;

-- name: work_of_subject
SELECT position FROM work_item INDEXED BY work_item_subject WHERE subject_key = ? ORDER BY position;

-- name: inbox_of_subject
SELECT inbox_id FROM record_revision WHERE subject_key = ?1
UNION ALL
SELECT inbox_id FROM inbox INDEXED BY inbox_rejected WHERE disposition = 'rejected' AND subject_key = ?1;

-- Submissions that could not be read far enough to say whose they are, and name the record somewhere.
-- name: unidentified_refusals
SELECT i.inbox_id, raw.bytes
FROM inbox AS i INDEXED BY inbox_rejected
JOIN inbox_raw AS raw ON raw.inbox_id = i.inbox_id
WHERE i.disposition = 'rejected' AND i.subject_key IS NULL AND instr(raw.bytes, CAST(? AS BLOB)) > 0;

-- name: ledger_of_subject
SELECT ledger_id FROM resource_ledger INDEXED BY resource_ledger_subject WHERE subject_key = ?;

-- name: patients_of_subject
SELECT patient_key FROM record_revision WHERE subject_key = ?1
UNION
SELECT patient_key FROM work_item INDEXED BY work_item_subject WHERE subject_key = ?1
UNION
SELECT patient_key FROM resource_ledger INDEXED BY resource_ledger_subject WHERE subject_key = ?1;

-- name: patient_has_records
SELECT 1
FROM record_revision AS r INDEXED BY record_revision_patient
WHERE r.patient_key = ? AND NOT EXISTS (SELECT 1 FROM erasure AS e WHERE e.subject_key = r.subject_key)
LIMIT 1;

-- name: other_work_of_patient
SELECT DISTINCT w.position
FROM record_revision AS r INDEXED BY record_revision_patient
JOIN work_item AS w INDEXED BY work_item_subject ON w.subject_key = r.subject_key
WHERE r.patient_key = ? AND r.subject_key <> ?;

-- name: delete_raw
DELETE FROM inbox_raw WHERE inbox_id = ?;

-- The HL7 v2 message that brought it, and what its sender was told.
-- name: delete_message
DELETE FROM hl7_message_raw
WHERE message_id IN (
  SELECT w.message_id
  FROM inbox AS i
  JOIN hl7_message_work AS w INDEXED BY hl7_message_work_receipt ON w.receipt = i.receipt
  WHERE i.inbox_id = ?);

-- A pointer may hold a name that only this sender knows.
-- name: blank_issues
UPDATE inbox_issue SET pointer = '', message = '' WHERE inbox_id = ?;

-- name: blank_reasons
UPDATE work_reason SET pointer = '', message = '' WHERE position = ?;

-- A plain hash confirms a guess.
-- name: blank_output
UPDATE mapping SET output_sha256 = '' WHERE position = ?;

-- name: delete_mapping_patient
DELETE FROM mapping_patient WHERE position = ?;

-- name: delete_mapping_facts
DELETE FROM mapping_fact WHERE position = ?;

-- name: delete_resources
DELETE FROM work_resource WHERE position = ?;

-- name: delete_answer
DELETE FROM work_answer WHERE position = ?;

-- name: delete_conflicts
DELETE FROM work_conflict WHERE position = ?;

-- name: delete_remarks
DELETE FROM work_remark WHERE position = ?;

-- name: delete_content
DELETE FROM resource_content WHERE ledger_id = ?;

-- name: delete_merged
DELETE FROM resource_merged WHERE ledger_id = ?;

-- An identifier holds keys of the record's rows. The row itself says which places of a server are ours.
-- name: blank_ledger
UPDATE resource_ledger SET value = subject_key || '.erased.' || ledger_id, sha256 = '' WHERE ledger_id = ?;

-- name: delete_firings
DELETE FROM rule_firing WHERE subject_key = ?;

-- name: delete_fact
DELETE FROM patient_fact WHERE subject_key = ?;

-- name: delete_identifiers
DELETE FROM pushed_identifier WHERE subject_key = ?;

-- name: delete_key
DELETE FROM record_key WHERE subject_key = ?;

-- What other records of the patient were told of this one. The row stays, so that it is seen that one is missing.
-- name: blank_facts_about
UPDATE mapping_fact SET name = 'erased', value = '{}'
WHERE position = ?1 AND kind = 'record' AND name <> 'mrn' AND json_valid(value)
  AND substr(coalesce(json_extract(value, '$.rows[0].recordKey'), json_extract(value, '$.value')) || '.', 1,
             length(?2) + 1) = ?2 || '.';

-- What is being mapped with the old facts is mapped again.
-- name: new_facts
UPDATE patient_lease SET facts_version = facts_version + 1 WHERE patient_key = ?;

-- name: delete_patient
DELETE FROM patient WHERE patient_key = ?;

-- name: delete_patient_link
DELETE FROM patient_link WHERE patient_key = ?;

-- name: delete_patient_found
DELETE FROM patient_found WHERE patient_key = ?;
