-- What comes in.

-- name: insert_inbox
INSERT INTO inbox (receipt, source, map, subject_key, site, record_id, revision, disposition, received_us, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: insert_raw
INSERT INTO inbox_raw (inbox_id, bytes) VALUES (?, ?);

-- name: insert_issue
INSERT INTO inbox_issue (inbox_id, ordinal, code, pointer, line, column_number, message)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: insert_subject
INSERT INTO record_subject (subject_key, site, record_id) VALUES (?, ?, ?) ON CONFLICT (subject_key) DO NOTHING;

-- name: insert_revision
INSERT INTO record_revision (subject_key, revision, inbox_id, record_status, patient_key, patient_generation,
                             content_commitment, raw_commitment, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: known_revision
SELECT r.content_commitment, i.receipt, w.state
FROM record_revision AS r
JOIN inbox AS i ON i.inbox_id = r.inbox_id
JOIN work_item AS w ON w.work_id = i.receipt
WHERE r.subject_key = ? AND r.revision = ?;

-- name: highest_revision
SELECT revision, patient_key, patient_generation, audit_seq
FROM record_revision
WHERE subject_key = ?
ORDER BY revision DESC
LIMIT 1;

-- name: repeat
SELECT noted_us, uncounted FROM repeated_arrival WHERE subject_key = ? AND revision = ? AND content_commitment = ?;

-- name: count_repeat
UPDATE repeated_arrival SET uncounted = uncounted + 1
WHERE subject_key = ? AND revision = ? AND content_commitment = ?;

-- name: put_repeat
INSERT INTO repeated_arrival (subject_key, revision, content_commitment, noted_us, audit_seq) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (subject_key, revision, content_commitment)
DO UPDATE SET noted_us = excluded.noted_us, uncounted = 0, audit_seq = excluded.audit_seq;

-- name: uncounted_repeats
SELECT a.subject_key, a.revision, a.content_commitment, a.content_commitment = r.content_commitment, a.uncounted,
       s.site, s.record_id
FROM repeated_arrival AS a
JOIN record_revision AS r ON r.subject_key = a.subject_key AND r.revision = a.revision
JOIN record_subject AS s ON s.subject_key = a.subject_key
WHERE a.uncounted > 0 AND a.noted_us <= ?
ORDER BY a.noted_us
LIMIT ?;

-- name: erased_repeat
SELECT noted_us, uncounted FROM repeated_erased WHERE subject_key = ?;

-- name: count_erased
UPDATE repeated_erased SET uncounted = uncounted + 1 WHERE subject_key = ?;

-- name: put_erased
INSERT INTO repeated_erased (subject_key, noted_us, audit_seq) VALUES (?, ?, ?)
ON CONFLICT (subject_key) DO UPDATE SET noted_us = excluded.noted_us, uncounted = 0, audit_seq = excluded.audit_seq;

-- name: uncounted_erased
SELECT a.subject_key, a.uncounted, json_extract(CAST(e.bytes AS TEXT), '$.local.system'),
       json_extract(CAST(e.bytes AS TEXT), '$.local.record')
FROM repeated_erased AS a
JOIN audit_entry AS e ON e.seq = a.audit_seq
WHERE a.uncounted > 0 AND a.noted_us <= ?
ORDER BY a.noted_us
LIMIT ?;
