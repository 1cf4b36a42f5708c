-- Keys that can be erased, and the patients that stand behind opaque keys.

-- name: record_key
SELECT key FROM record_key WHERE subject_key = ?;

-- name: insert_record_key
INSERT INTO record_key (subject_key, key) VALUES (?, ?);

-- name: patient_of_mrn
SELECT patient_key FROM patient WHERE mrn = ?;

-- name: insert_patient
INSERT INTO patient (patient_key, mrn, key) VALUES (?, ?, ?);

-- name: insert_lease
INSERT INTO patient_lease (patient_key) VALUES (?) ON CONFLICT (patient_key) DO NOTHING;
