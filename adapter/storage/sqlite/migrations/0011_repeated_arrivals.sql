-- How often a revision came again, or another content under its number, since the log last said so.
PRAGMA user_version = 11;

CREATE TABLE repeated_arrival (
  subject_key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  content_commitment TEXT NOT NULL,
  noted_us INTEGER NOT NULL,
  uncounted INTEGER NOT NULL DEFAULT 0,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  PRIMARY KEY (subject_key, revision, content_commitment),
  FOREIGN KEY (subject_key, revision) REFERENCES record_revision (subject_key, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX repeated_arrival_uncounted ON repeated_arrival (noted_us) WHERE uncounted > 0;
