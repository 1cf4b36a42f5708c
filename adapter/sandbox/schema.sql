-- What the sandbox keeps: every version of every resource, and what searches look at.
PRAGMA application_id = 1178091858;

CREATE TABLE resource (
  resource_key INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  is_deleted INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  UNIQUE (type, id)
) STRICT;

CREATE TABLE resource_version (
  resource_key INTEGER NOT NULL REFERENCES resource (resource_key),
  version INTEGER NOT NULL,
  method TEXT NOT NULL,
  updated_us INTEGER NOT NULL,
  content TEXT,
  PRIMARY KEY (resource_key, version)
) STRICT, WITHOUT ROWID;

-- Of the current version only. A reference has the target's type as system and its id as value.
CREATE TABLE search_entry (
  resource_key INTEGER NOT NULL REFERENCES resource (resource_key),
  type TEXT NOT NULL,
  parameter TEXT NOT NULL,
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL
) STRICT;
CREATE INDEX search_entry_by_value ON search_entry (type, parameter, value, system);
CREATE INDEX search_entry_by_resource ON search_entry (resource_key);

-- Every literal reference, for the integrity of references.
CREATE TABLE reference_entry (
  resource_key INTEGER NOT NULL REFERENCES resource (resource_key),
  target_type TEXT NOT NULL,
  target_id TEXT NOT NULL
) STRICT;
CREATE INDEX reference_entry_by_target ON reference_entry (target_type, target_id);
CREATE INDEX reference_entry_by_resource ON reference_entry (resource_key);

PRAGMA user_version = 1;
