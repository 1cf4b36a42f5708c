-- HL7 v2 messages.

-- name: known_message
SELECT coalesce(raw.sha256, ''), coalesce(raw.acknowledgement, x'')
FROM hl7_message AS m
LEFT JOIN hl7_message_raw AS raw USING (message_id)
WHERE m.sender = ? AND m.control_id = ?;

-- name: insert_message
INSERT INTO hl7_message (sender, control_id, map_set_sha256, received_us, audit_seq) VALUES (?, ?, ?, ?, ?);

-- name: insert_message_raw
INSERT INTO hl7_message_raw (message_id, sha256, bytes, acknowledgement) VALUES (?, ?, ?, ?);

-- name: insert_message_work
INSERT INTO hl7_message_work (message_id, receipt) VALUES (?, ?) ON CONFLICT DO NOTHING;
