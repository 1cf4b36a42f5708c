-- What others did to our resources on the server, and what a person has to decide about it.
PRAGMA user_version = 6;

-- Erasable: what stands on the server when it is more than what was sent.
CREATE TABLE resource_merged (
  ledger_id INTEGER PRIMARY KEY REFERENCES resource_ledger (ledger_id),
  bytes BLOB NOT NULL
) STRICT;

-- Erasable: both sides of each resource for which work is held.
CREATE TABLE work_conflict (
  position INTEGER NOT NULL REFERENCES work_item (position),
  ordinal INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  type TEXT NOT NULL,
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  server_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  delivered BLOB NOT NULL,
  ours BLOB NOT NULL,
  theirs BLOB NOT NULL,
  kept BLOB NOT NULL,
  json BLOB NOT NULL,
  nullified INTEGER NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  PRIMARY KEY (position, ordinal)
) STRICT, WITHOUT ROWID;
