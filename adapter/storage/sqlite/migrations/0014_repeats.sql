-- How often an HL7 v2 message, or a record that was erased, came again since the log last said so.
PRAGMA user_version = 14;

CREATE TABLE repeated_message (
  message_id INTEGER PRIMARY KEY REFERENCES hl7_message (message_id),
  noted_us INTEGER NOT NULL,
  uncounted INTEGER NOT NULL DEFAULT 0,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT;

CREATE INDEX repeated_message_uncounted ON repeated_message (noted_us) WHERE uncounted > 0;

-- Whatever its revision and content: neither is known of a record that was erased.
CREATE TABLE repeated_erased (
  subject_key TEXT PRIMARY KEY REFERENCES erasure (subject_key),
  noted_us INTEGER NOT NULL,
  uncounted INTEGER NOT NULL DEFAULT 0,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX repeated_erased_uncounted ON repeated_erased (noted_us) WHERE uncounted > 0;
