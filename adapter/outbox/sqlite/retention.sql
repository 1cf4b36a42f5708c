-- What of delivered records is no longer kept.

-- name: submissions
SELECT raw.inbox_id, i.received_us, i.subject_key, w.kind
FROM inbox_raw AS raw
JOIN inbox AS i ON i.inbox_id = raw.inbox_id
LEFT JOIN work_item AS w ON w.work_id = i.receipt
WHERE raw.inbox_id > ?
ORDER BY raw.inbox_id
LIMIT ?;

-- Something of it waits, or came in too late.
-- name: is_in_use
SELECT 1
FROM work_item INDEXED BY work_item_subject
WHERE subject_key = ? AND (state NOT IN ('delivered', 'superseded') OR received_us >= ?)
LIMIT 1;

-- name: was_delivered
SELECT 1 FROM work_item INDEXED BY work_item_subject WHERE subject_key = ? AND state = 'delivered' LIMIT 1;

-- name: name_of_subject
SELECT site, record_id FROM record_subject WHERE subject_key = ?;

-- name: inbox_of_subject
SELECT inbox_id FROM record_revision WHERE subject_key = ?;

-- name: put_expiry
INSERT INTO expiry (subject_key, expired_us, audit_seq) VALUES (?, ?, ?)
ON CONFLICT (subject_key) DO UPDATE SET expired_us = excluded.expired_us, audit_seq = excluded.audit_seq;
