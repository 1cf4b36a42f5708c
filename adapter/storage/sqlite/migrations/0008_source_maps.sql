-- Each source has a map of its own.
PRAGMA user_version = 8;

-- The map that the record came for, as the configuration named it; empty: the default one, as before this version.
ALTER TABLE inbox ADD COLUMN map TEXT NOT NULL DEFAULT '';
