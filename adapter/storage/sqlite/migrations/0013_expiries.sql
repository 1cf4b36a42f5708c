-- Records whose bytes as they came and mapped resources are no longer kept, by [retention].
PRAGMA user_version = 13;

CREATE TABLE expiry (
  subject_key TEXT PRIMARY KEY,
  expired_us INTEGER NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;
