-- From received to queued.

-- name: pending
SELECT position, work_id, patient_key FROM work_item WHERE state = 'received' AND position > ?
ORDER BY position
LIMIT ?;

-- name: task
SELECT raw.bytes, l.facts_version, i.map, i.received_us
FROM work_item AS w
JOIN record_revision AS r ON r.subject_key = w.subject_key AND r.revision = w.revision
JOIN patient_lease AS l ON l.patient_key = w.patient_key
JOIN inbox AS i ON i.inbox_id = r.inbox_id
JOIN inbox_raw AS raw ON raw.inbox_id = r.inbox_id
WHERE w.work_id = ?;

-- name: firings
SELECT issue, recorded FROM rule_firing WHERE subject_key = ? ORDER BY issue;

-- name: facts_of_others
SELECT fact FROM patient_fact WHERE patient_key = ? AND subject_key <> ? ORDER BY subject_key;

-- name: mrn_of_patient
SELECT mrn FROM patient WHERE patient_key = ?;

-- What a pushed Observation can be tied to: the patient's procedures and administrations that are on a server. A part
-- is what was given as part of the procedure, not beside it.
-- name: delivered_of_patient
SELECT json_object('endpoint', l.endpoint, 'type', l.type, 'system', l.system, 'value', l.value, 'id', l.server_id,
                   'nullified', json(iif(l.nullified, 'true', 'false')),
                   'part', json(iif(json_extract(CAST(c.bytes AS TEXT), '$.partOf') IS NULL, 'false', 'true')),
                   'start', coalesce(json_extract(CAST(c.bytes AS TEXT), '$.effectiveDateTime'),
                                     json_extract(CAST(c.bytes AS TEXT), '$.effectivePeriod.start'), ''),
                   'end', coalesce(json_extract(CAST(c.bytes AS TEXT), '$.effectivePeriod.end'), ''))
FROM resource_ledger AS l INDEXED BY resource_ledger_patient
JOIN resource_content AS c ON c.ledger_id = l.ledger_id
WHERE l.patient_key = ? AND l.type IN ('MedicationAdministration', 'Procedure')
  AND json_valid(CAST(c.bytes AS TEXT))
ORDER BY l.endpoint, l.type, l.system, l.value;

-- Those whose bytes are still kept: the others cannot be mapped again.
-- name: subjects_of_others
SELECT f.subject_key, f.revision
FROM patient_fact AS f
JOIN record_revision AS r ON r.subject_key = f.subject_key AND r.revision = f.revision
JOIN inbox_raw AS raw ON raw.inbox_id = r.inbox_id
WHERE f.patient_key = ? AND f.subject_key <> ?
ORDER BY f.subject_key;

-- name: fact
SELECT patient_key, fact FROM patient_fact WHERE subject_key = ?;

-- name: put_fact
INSERT INTO patient_fact (subject_key, patient_key, revision, fact) VALUES (?, ?, ?, ?)
ON CONFLICT (subject_key) DO UPDATE
SET patient_key = excluded.patient_key, revision = excluded.revision, fact = excluded.fact;

-- name: delete_fact
DELETE FROM patient_fact WHERE subject_key = ?;

-- name: new_facts
UPDATE patient_lease SET facts_version = facts_version + 1 WHERE patient_key = ?;

-- What is already waiting to be mapped will see the new facts.
-- name: waits_for_mapping
SELECT 1 FROM work_item INDEXED BY work_item_subject WHERE subject_key = ? AND state = 'received' LIMIT 1;

-- name: put_firing
INSERT INTO rule_firing (subject_key, issue, recorded, audit_seq) VALUES (?, ?, ?, ?)
ON CONFLICT (subject_key, issue) DO NOTHING;

-- name: put_mapping
INSERT INTO mapping (position, map_set_sha256, map_id, map_version, engine, patient_generation, output_sha256,
                     audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (position) DO UPDATE
SET map_set_sha256 = excluded.map_set_sha256, map_id = excluded.map_id, map_version = excluded.map_version,
    engine = excluded.engine, patient_generation = excluded.patient_generation,
    output_sha256 = excluded.output_sha256, audit_seq = excluded.audit_seq;

-- name: put_mapping_patient
INSERT INTO mapping_patient (position, sex, birth_date) VALUES (?, ?, ?)
ON CONFLICT (position) DO UPDATE SET sex = excluded.sex, birth_date = excluded.birth_date;

-- name: delete_mapping_facts
DELETE FROM mapping_fact WHERE position = ?;

-- name: delete_mapping_patient
DELETE FROM mapping_patient WHERE position = ?;

-- name: delete_mapping
DELETE FROM mapping WHERE position = ?;

-- name: insert_mapping_fact
INSERT INTO mapping_fact (position, ordinal, kind, name, value) VALUES (?, ?, ?, ?, ?);

-- name: mapping_facts
SELECT kind, name, value FROM mapping_fact WHERE position = ? ORDER BY ordinal;

-- name: output_before
SELECT m.output_sha256
FROM work_item AS w
JOIN mapping AS m ON m.position = w.position
WHERE w.subject_key = ? AND w.revision = ? AND w.position < ?
ORDER BY w.position DESC
LIMIT 1;

-- name: has_mapping
SELECT map_set_sha256 FROM mapping WHERE position = ?;

-- name: pinned
SELECT w.position, raw.bytes, m.map_set_sha256, m.engine, m.output_sha256, m.patient_generation, m.map_id,
       r.revision, i.received_us
FROM work_item AS w
JOIN mapping AS m ON m.position = w.position
JOIN record_revision AS r ON r.subject_key = w.subject_key AND r.revision = w.revision
JOIN inbox AS i ON i.inbox_id = r.inbox_id
JOIN inbox_raw AS raw ON raw.inbox_id = r.inbox_id
WHERE w.work_id = ?;

-- name: map_set
SELECT bytes FROM map_set WHERE sha256 = ?;

-- name: put_map_set
INSERT INTO map_set (sha256, bytes, audit_seq) VALUES (?, ?, ?);
