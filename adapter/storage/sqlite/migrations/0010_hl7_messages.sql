-- HL7 v2 messages that were taken in: what is remembered of one, so that it is taken once.
PRAGMA user_version = 10;

CREATE TABLE hl7_message (
  message_id INTEGER PRIMARY KEY,
  sender TEXT NOT NULL,
  control_id TEXT NOT NULL,
  map_set_sha256 TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  UNIQUE (sender, control_id)
) STRICT;

-- Erasable: the message as it came, and what its sender was told. Without it a message of that number is refused.
CREATE TABLE hl7_message_raw (
  message_id INTEGER PRIMARY KEY REFERENCES hl7_message (message_id),
  sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL,
  acknowledgement BLOB NOT NULL
) STRICT;

-- What a message brought: receipts of the inbox.
CREATE TABLE hl7_message_work (
  message_id INTEGER NOT NULL REFERENCES hl7_message (message_id),
  receipt TEXT NOT NULL REFERENCES inbox (receipt),
  PRIMARY KEY (message_id, receipt)
) STRICT, WITHOUT ROWID;

CREATE INDEX hl7_message_work_receipt ON hl7_message_work (receipt);
