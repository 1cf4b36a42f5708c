-- Bearer tokens of those who may use the HTTP interface. A token itself is shown once, to who made it; what stands here
-- cannot be used in its place.
PRAGMA user_version = 5;

CREATE TABLE access_token (
  name TEXT PRIMARY KEY,
  roles TEXT NOT NULL,
  sha256 TEXT NOT NULL UNIQUE,
  created_us INTEGER NOT NULL,
  revoked_us INTEGER,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;
