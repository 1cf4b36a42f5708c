-- The only statements that touch audit_entry.

-- name: last_sequence
SELECT coalesce(max(seq), 0) FROM audit_entry;

-- name: last_of_trace
SELECT coalesce(max(trace_seq), 0) FROM audit_entry WHERE trace_id = ?;

-- name: append
INSERT INTO audit_entry (seq, trace_id, trace_seq, bytes) VALUES (?, ?, ?, ?);

-- name: entries_between
SELECT seq, bytes FROM audit_entry WHERE seq BETWEEN ? AND ? ORDER BY seq;

-- name: entries_of_trace
SELECT seq, bytes FROM audit_entry WHERE trace_id = ? ORDER BY trace_seq;
