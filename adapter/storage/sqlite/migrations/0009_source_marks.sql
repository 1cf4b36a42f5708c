-- How far the databases that are read have been read.
PRAGMA user_version = 9;

-- One row a source. `mark` is a value of its high-water column; null: nothing was read. `origin` is a hash over address and
-- query.
CREATE TABLE source_mark (
  source TEXT PRIMARY KEY,
  origin TEXT NOT NULL,
  key BLOB NOT NULL,
  mark TEXT,
  mark_is_integer INTEGER NOT NULL DEFAULT 0,
  moved_us INTEGER
) STRICT, WITHOUT ROWID;

-- What was dealt with and comes again while it is near the mark: HMAC-SHA-256 with the source's key.
CREATE TABLE source_seen (
  source TEXT NOT NULL REFERENCES source_mark (source),
  hash TEXT NOT NULL,
  PRIMARY KEY (source, hash)
) STRICT, WITHOUT ROWID;
