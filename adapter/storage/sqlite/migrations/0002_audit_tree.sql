-- The tree over audit_entry, as it was when the last checkpoint was signed. All of it can be made again from the
-- entries; it is kept so that a proof does not read them all.
PRAGMA user_version = 2;

-- Concatenated hashes, 1 to 256; only grows.
CREATE TABLE audit_tile (
  level INTEGER NOT NULL,
  tile_index INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (level, tile_index)
) STRICT, WITHOUT ROWID;

-- The last checkpoint, so that a backup holds its own. All of them stand in the file beside the store.
CREATE TABLE audit_checkpoint (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  tree_size INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
