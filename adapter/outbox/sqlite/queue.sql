-- For people and metrics.

-- name: counts
SELECT state, items FROM work_count;

-- name: oldest_waiting
SELECT min(received_us) FROM (
  SELECT min(position) AS position FROM work_item WHERE state = 'received' UNION ALL
  SELECT min(position) FROM work_item WHERE state = 'mapped' UNION ALL
  SELECT min(position) FROM work_item WHERE state = 'queued' UNION ALL
  SELECT min(position) FROM work_item WHERE state = 'sending' UNION ALL
  SELECT min(position) FROM work_item WHERE state = 'retry' UNION ALL
  SELECT min(position) FROM work_item WHERE state = 'ambiguous') AS first
JOIN work_item USING (position);

-- name: held_audit_events
SELECT count(*) FROM work_item INDEXED BY work_item_state WHERE state = 'held' AND kind = 'audit-event';

-- name: list
SELECT position FROM work_item WHERE position > ? ORDER BY position LIMIT ?;

-- name: list_of_state
SELECT position FROM work_item WHERE state = ? AND position > ? ORDER BY position LIMIT ?;

-- name: revisions
SELECT r.revision, i.receipt, w.position, w.state
FROM record_revision AS r
JOIN inbox AS i ON i.inbox_id = r.inbox_id
JOIN work_item AS w ON w.work_id = i.receipt
WHERE r.subject_key = ?
ORDER BY r.revision;

-- The last refusal of each revision that was never accepted.
-- name: rejected_revisions
SELECT i.revision, i.receipt, i.inbox_id
FROM inbox AS i
WHERE i.subject_key = ? AND i.disposition = 'rejected'
  AND i.inbox_id = (SELECT max(n.inbox_id) FROM inbox AS n
                    WHERE n.subject_key = i.subject_key AND n.disposition = 'rejected'
                      AND n.revision = i.revision)
  AND NOT EXISTS (SELECT 1 FROM record_revision AS r
                  WHERE r.subject_key = i.subject_key AND r.revision = i.revision)
ORDER BY i.revision;

-- name: inbox_issues
SELECT code, pointer, message FROM inbox_issue WHERE inbox_id = ? ORDER BY ordinal;

-- name: held_patients
SELECT patient_key, max(reason_code), count(*), max(position)
FROM work_item
WHERE state = 'held' AND reason_code IN ('patient-not-found', 'patient-ambiguous', 'patient-mismatch')
  AND patient_key > ?
GROUP BY patient_key
ORDER BY patient_key
LIMIT ?;
