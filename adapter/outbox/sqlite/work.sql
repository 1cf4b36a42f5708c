-- Work and the order in which it is sent. `change_state` is the only statement that changes a state.

-- name: insert_work
INSERT INTO work_item (work_id, kind, subject_key, revision, patient_key, depends_on, state, received_us,
                       next_attempt_us, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, 'received', ?, ?, ?);

-- name: change_state
UPDATE work_item
SET state = ?, reason_code = ?, next_attempt_us = ?, attempts = ?, first_attempt_us = ?, writes = ?,
    is_ambiguous = ?, audit_seq = ?
WHERE position = ?;

-- name: count_state
UPDATE work_count SET items = items + ? WHERE state = ?;

-- name: load_work
SELECT w.position, w.work_id, w.kind, w.subject_key, w.revision, w.patient_key, w.depends_on, w.state,
       w.reason_code, w.received_us, w.next_attempt_us, w.attempts, w.first_attempt_us, w.writes,
       w.is_ambiguous, w.audit_seq, s.site, s.record_id, r.record_status, r.patient_generation,
       r.raw_commitment
FROM work_item AS w
LEFT JOIN record_subject AS s
  ON s.subject_key = iif(w.kind = 'audit-event', replace(w.subject_key, '#audit', ''), w.subject_key)
LEFT JOIN record_revision AS r ON r.subject_key = s.subject_key AND r.revision = w.revision
WHERE w.work_id = ?;

-- name: load_work_at
SELECT w.position, w.work_id, w.kind, w.subject_key, w.revision, w.patient_key, w.depends_on, w.state,
       w.reason_code, w.received_us, w.next_attempt_us, w.attempts, w.first_attempt_us, w.writes,
       w.is_ambiguous, w.audit_seq, s.site, s.record_id, r.record_status, r.patient_generation,
       r.raw_commitment
FROM work_item AS w
LEFT JOIN record_subject AS s
  ON s.subject_key = iif(w.kind = 'audit-event', replace(w.subject_key, '#audit', ''), w.subject_key)
LEFT JOIN record_revision AS r ON r.subject_key = s.subject_key AND r.revision = w.revision
WHERE w.position = ?;

-- name: head_of_line
SELECT position, state, next_attempt_us
FROM work_item
WHERE patient_key = ? AND state IN ('received', 'mapped', 'queued', 'sending', 'retry', 'ambiguous')
ORDER BY position
LIMIT 1;

-- name: sending_of_patient
SELECT position
FROM work_item INDEXED BY work_item_line
WHERE patient_key = ? AND state IN ('received', 'mapped', 'queued', 'sending', 'retry', 'ambiguous')
  AND state = 'sending'
ORDER BY position;

-- name: all_sending
SELECT position FROM work_item WHERE state = 'sending' ORDER BY position;

-- name: lower_in_flight
SELECT 1
FROM work_item
WHERE subject_key = ? AND revision < ? AND state IN ('sending', 'retry', 'ambiguous')
LIMIT 1;

-- A higher revision that went into the queue, whatever became of it there.
-- name: higher_deliverable
SELECT audit_seq
FROM work_item
WHERE subject_key = ? AND revision > ? AND kind IN ('record', 'observation')
  AND state IN ('queued', 'sending', 'retry', 'ambiguous', 'held', 'delivered', 'superseded')
LIMIT 1;

-- What a revision that can be delivered takes the place of.
-- name: lower_waiting
SELECT position
FROM work_item
WHERE subject_key = ? AND revision < ? AND state IN ('received', 'queued', 'held', 'quarantined')
ORDER BY position;

-- A newer evaluation of the rules takes the place of one that waits.
-- name: evaluation_waiting
SELECT position
FROM work_item
WHERE subject_key = ? AND revision = ? AND kind = 'issue-update' AND position < ?
  AND state IN ('queued', 'held')
ORDER BY position;

-- name: delivered_revision
SELECT 1
FROM work_item
WHERE subject_key = ? AND revision >= ? AND state = 'delivered'
LIMIT 1;

-- name: dependents
SELECT position
FROM work_item INDEXED BY work_item_dependent
WHERE depends_on = ? AND state = 'held' AND reason_code = 'unresolved-link'
ORDER BY position;

-- name: held_for_patient
SELECT position
FROM work_item INDEXED BY work_item_held
WHERE patient_key = ? AND state = 'held'
  AND reason_code IN ('patient-not-found', 'patient-ambiguous', 'patient-mismatch')
ORDER BY position;

-- name: held_for_reason
SELECT position FROM work_item WHERE state = 'held' AND reason_code = ? ORDER BY position;

-- What a pushed Observation speaks of was not known when it was looked for.
-- name: unlinked_of_patient
SELECT position
FROM work_item INDEXED BY work_item_held
WHERE patient_key = ? AND state = 'held' AND reason_code = 'unresolved-link' AND kind = 'observation'
  AND NOT EXISTS (SELECT 1 FROM mapping AS m WHERE m.position = work_item.position)
ORDER BY position;

-- name: has_unmapped_observation
SELECT 1
FROM work_item INDEXED BY work_item_line
WHERE patient_key = ? AND state IN ('received', 'mapped', 'queued', 'sending', 'retry', 'ambiguous')
  AND state = 'received' AND kind = 'observation'
LIMIT 1;

-- name: new_facts
UPDATE patient_lease SET facts_version = facts_version + 1 WHERE patient_key = ?;

-- At each delivery, so that it writes only what it did not say before.
-- name: put_patient_found
INSERT INTO patient_found (endpoint, server_id, patient_key, audit_seq) VALUES (?, ?, ?, ?)
ON CONFLICT (endpoint, server_id) DO UPDATE
SET patient_key = excluded.patient_key, audit_seq = excluded.audit_seq
WHERE patient_key <> excluded.patient_key;

-- name: written_before
SELECT count(*)
FROM work_item
WHERE subject_key = ? AND revision = ? AND position < ? AND writes > 0;

-- name: lease_of_patient
SELECT owner, until_us, due_us, facts_version FROM patient_lease WHERE patient_key = ?;

-- name: set_due
UPDATE patient_lease SET due_us = ? WHERE patient_key = ?;

-- name: due_patients
SELECT patient_key FROM patient_lease WHERE due_us <= ? ORDER BY due_us LIMIT ?;

-- name: next_due
SELECT min(due_us) FROM patient_lease WHERE due_us IS NOT NULL;

-- name: take_lease
UPDATE patient_lease SET owner = ?, until_us = ?, due_us = ? WHERE patient_key = ?;

-- name: extend_lease
UPDATE patient_lease SET until_us = ?, due_us = ? WHERE owner = ? AND until_us = ?;

-- name: end_lease
UPDATE patient_lease SET owner = NULL, until_us = NULL, due_us = NULL WHERE owner = ? RETURNING patient_key;

-- name: end_lease_of_patient
UPDATE patient_lease SET owner = NULL, until_us = NULL, due_us = NULL WHERE patient_key = ?;

-- name: leased_patients
SELECT patient_key FROM patient_lease WHERE owner IS NOT NULL;

-- name: clear_reasons
DELETE FROM work_reason WHERE position = ? AND is_note = ?;

-- name: insert_reason
INSERT INTO work_reason (position, is_note, ordinal, code, pointer, message) VALUES (?, ?, ?, ?, ?, ?);

-- name: reasons
SELECT code, pointer, message FROM work_reason WHERE position = ? AND is_note = ? ORDER BY ordinal;

-- name: put_answer
INSERT INTO work_answer (position, bytes) VALUES (?, ?)
ON CONFLICT (position) DO UPDATE SET bytes = excluded.bytes;

-- name: answer
SELECT bytes FROM work_answer WHERE position = ?;

-- name: insert_conflict
INSERT INTO work_conflict (position, ordinal, endpoint, type, system, value, server_id, version_id, delivered,
                           ours, theirs, kept, json, nullified, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: conflicts
SELECT endpoint, type, system, value, server_id, version_id, delivered, ours, theirs, kept, json, nullified
FROM work_conflict
WHERE position = ?
ORDER BY ordinal;

-- name: delete_conflicts
DELETE FROM work_conflict WHERE position = ?;

-- name: insert_remark
INSERT INTO work_remark (audit_seq, position, remark) VALUES (?, ?, ?);

-- name: remarks
SELECT remark FROM work_remark WHERE position = ? ORDER BY audit_seq;

-- name: insert_resource
INSERT INTO work_resource (position, ordinal, type, system, value, uuid, sha256, has_identifier_search, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: delete_resources
DELETE FROM work_resource WHERE position = ?;

-- name: resources
SELECT type, system, value, uuid, sha256, has_identifier_search, content
FROM work_resource
WHERE position = ?
ORDER BY ordinal;

-- name: patient_reference
SELECT p.mrn, l.server_id
FROM patient AS p
LEFT JOIN patient_link AS l ON l.patient_key = p.patient_key
WHERE p.patient_key = ?;

-- The work that says what a record's resources are to be now: its highest revision that was delivered, and the last
-- evaluation of its rules.
-- name: last_delivered
SELECT w.position
FROM work_item AS w INDEXED BY work_item_subject
JOIN mapping AS m ON m.position = w.position
WHERE w.subject_key = ? AND w.state = 'delivered'
ORDER BY w.revision DESC, w.position DESC
LIMIT 1;

-- What will be sent of a record by itself.
-- name: under_way
SELECT 1
FROM work_item INDEXED BY work_item_subject
WHERE subject_key = ? AND state IN ('received', 'mapped', 'queued', 'sending', 'retry', 'ambiguous')
LIMIT 1;

-- name: has_resources
SELECT 1 FROM work_resource WHERE position = ? LIMIT 1;

-- name: repair_held
SELECT 1
FROM work_item INDEXED BY work_item_subject
WHERE subject_key = ? AND kind = 'repair' AND state = 'held'
LIMIT 1;

-- name: copy_mapping
INSERT INTO mapping (position, map_set_sha256, map_id, map_version, engine, patient_generation, output_sha256,
                     audit_seq)
SELECT ?1, map_set_sha256, map_id, map_version, engine, patient_generation, output_sha256, ?2
FROM mapping WHERE position = ?3;

-- name: mapping_of
SELECT map_id, map_version, map_set_sha256, engine FROM mapping WHERE position = ?;

-- name: copy_mapping_patient
INSERT INTO mapping_patient (position, sex, birth_date)
SELECT ?1, sex, birth_date FROM mapping_patient WHERE position = ?2;

-- name: copy_mapping_facts
INSERT INTO mapping_fact (position, ordinal, kind, name, value)
SELECT ?1, ordinal, kind, name, value FROM mapping_fact WHERE position = ?2;

-- name: copy_resources
INSERT INTO work_resource (position, ordinal, type, system, value, uuid, sha256, has_identifier_search, content)
SELECT ?1, ordinal, type, system, value, uuid, sha256, has_identifier_search, content
FROM work_resource WHERE position = ?2;

-- name: put_link
INSERT INTO patient_link (patient_key, server_id, audit_seq) VALUES (?, ?, ?)
ON CONFLICT (patient_key) DO UPDATE SET server_id = excluded.server_id, audit_seq = excluded.audit_seq;

-- name: delete_link
DELETE FROM patient_link WHERE patient_key = ? RETURNING server_id;

-- name: patient_check
SELECT sex, birth_date FROM mapping_patient WHERE position = ?;

-- name: setting
SELECT value FROM setting WHERE name = ?;

-- name: put_setting
INSERT INTO setting (name, value, audit_seq) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, audit_seq = excluded.audit_seq;

-- name: is_mapped
SELECT 1 FROM mapping WHERE position = ?;
