-- The only statements that touch audit_entry.

-- name: last_sequence
SELECT coalesce(max(seq), 0) FROM audit_entry;

-- Of the log and of one trace, in one step: asked for each entry.
-- name: last_of_log_and_trace
SELECT (SELECT coalesce(max(seq), 0) FROM audit_entry),
       (SELECT coalesce(max(trace_seq), 0) FROM audit_entry WHERE trace_id = ?);

-- name: append
INSERT INTO audit_entry (seq, trace_id, trace_seq, bytes) VALUES (?, ?, ?, ?);

-- name: entries_between
SELECT seq, bytes FROM audit_entry WHERE seq BETWEEN ? AND ? ORDER BY seq;

-- name: entries_of_trace
SELECT seq, bytes FROM audit_entry WHERE trace_id = ? ORDER BY trace_seq;

-- name: tile
SELECT hashes FROM audit_tile WHERE level = ? AND tile_index = ?;

-- name: last_tile_of_level
SELECT tile_index, length(hashes) FROM audit_tile WHERE level = ? ORDER BY tile_index DESC LIMIT 1;

-- name: put_tile
INSERT INTO audit_tile (level, tile_index, hashes) VALUES (?, ?, ?)
  ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes;

-- name: checkpoint
SELECT note FROM audit_checkpoint;

-- name: put_checkpoint
INSERT INTO audit_checkpoint (one, tree_size, note) VALUES (1, ?, ?)
  ON CONFLICT (one) DO UPDATE SET tree_size = excluded.tree_size, note = excluded.note;
