-- Databases that are read.

-- name: mark
SELECT origin, key, mark, mark_is_integer FROM source_mark WHERE source = ?;

-- name: seen
SELECT hash FROM source_seen WHERE source = ?;

-- name: begin
INSERT INTO source_mark (source, origin, key) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET origin = excluded.origin, mark = NULL;

-- name: add_seen
INSERT INTO source_seen (source, hash) VALUES (?, ?) ON CONFLICT (source, hash) DO NOTHING;

-- name: delete_seen
DELETE FROM source_seen WHERE source = ? AND hash = ?;

-- name: move
UPDATE source_mark SET mark = ?, mark_is_integer = ?, moved_us = ? WHERE source = ?;
