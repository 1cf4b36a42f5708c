-- A full disk is tried by writing this much and taking it away again. `disk_probe` is in every schema.

-- name: fill_probe
INSERT INTO disk_probe (id, bytes) VALUES (1, zeroblob(?))
ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes;

-- name: clear_probe
DELETE FROM disk_probe;
