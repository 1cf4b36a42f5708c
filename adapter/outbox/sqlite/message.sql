-- HL7 v2 messages.

-- name: known_message
SELECT coalesce(raw.sha256, ''), coalesce(raw.acknowledgement, x''), m.message_id
FROM hl7_message AS m
LEFT JOIN hl7_message_raw AS raw USING (message_id)
WHERE m.sender = ? AND m.control_id = ?;

-- name: insert_message
INSERT INTO hl7_message (sender, control_id, map_set_sha256, received_us, audit_seq) VALUES (?, ?, ?, ?, ?);

-- name: insert_message_raw
INSERT INTO hl7_message_raw (message_id, sha256, bytes, acknowledgement) VALUES (?, ?, ?, ?);

-- name: insert_message_work
INSERT INTO hl7_message_work (message_id, receipt) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: message_repeat
SELECT noted_us, uncounted FROM repeated_message WHERE message_id = ?;

-- name: count_message
UPDATE repeated_message SET uncounted = uncounted + 1 WHERE message_id = ?;

-- name: put_message
INSERT INTO repeated_message (message_id, noted_us, audit_seq) VALUES (?, ?, ?)
ON CONFLICT (message_id) DO UPDATE SET noted_us = excluded.noted_us, uncounted = 0, audit_seq = excluded.audit_seq;

-- name: uncounted_messages
SELECT a.message_id, a.uncounted, coalesce(json_extract(CAST(e.bytes AS TEXT), '$.op'), ''),
       coalesce(json_extract(CAST(e.bytes AS TEXT), '$.request_id'), '')
FROM repeated_message AS a
JOIN audit_entry AS e ON e.seq = a.audit_seq
WHERE a.uncounted > 0 AND a.noted_us <= ?
ORDER BY a.noted_us
LIMIT ?;
