-- The first schema. Rules that hold for every table:
--   * a row that says in which state something is names the audit entry that brought it there (audit_seq);
--   * clinical bytes stand only in tables marked "erasable", one row (or set of rows) for each record;
--   * times are UTC microseconds; hashes and keys of patients are lower-case hex.
PRAGMA application_id = 1178091844;
PRAGMA user_version = 1;

-- The audit log. Bytes are stored exactly as they are hashed; nothing is changed or deleted.
CREATE TABLE audit_entry (
  seq INTEGER PRIMARY KEY,
  trace_id TEXT NOT NULL,
  trace_seq INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (trace_id, trace_seq)
) STRICT;

CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TRIGGER audit_entry_is_never_deleted BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;

-- Written and removed again to see whether a full disk has room.
CREATE TABLE disk_probe (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

-- Erasable: without the key the commitments in the log say nothing.
CREATE TABLE record_key (
  subject_key TEXT PRIMARY KEY,
  key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Erasable: who a patient_key stands for. patient_key = HMAC-SHA-256(key, mrn).
CREATE TABLE patient (
  patient_key TEXT PRIMARY KEY,
  mrn TEXT NOT NULL UNIQUE,
  key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The order of work: who sends for a patient until when, and since when the patient's next work is due.
CREATE TABLE patient_lease (
  patient_key TEXT PRIMARY KEY,
  owner TEXT,
  until_us INTEGER,
  due_us INTEGER,
  facts_version INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_lease_due ON patient_lease (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX patient_lease_owner ON patient_lease (owner) WHERE owner IS NOT NULL;

-- A patient tied by an operator to a Patient of the server.
CREATE TABLE patient_link (
  patient_key TEXT PRIMARY KEY REFERENCES patient_lease (patient_key),
  server_id TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;

-- Everything that came in and was kept.
CREATE TABLE inbox (
  inbox_id INTEGER PRIMARY KEY,
  receipt TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  subject_key TEXT,
  site TEXT,
  record_id TEXT,
  revision INTEGER,
  disposition TEXT NOT NULL CHECK (disposition IN ('accepted', 'rejected')),
  received_us INTEGER NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT;

CREATE INDEX inbox_rejected ON inbox (subject_key, revision) WHERE disposition = 'rejected';

-- Erasable.
CREATE TABLE inbox_raw (
  inbox_id INTEGER PRIMARY KEY REFERENCES inbox (inbox_id),
  bytes BLOB NOT NULL
) STRICT;

-- Why something was rejected: codes and places, no values.
CREATE TABLE inbox_issue (
  inbox_id INTEGER NOT NULL REFERENCES inbox (inbox_id),
  ordinal INTEGER NOT NULL,
  code TEXT NOT NULL,
  pointer TEXT NOT NULL,
  line INTEGER NOT NULL,
  column_number INTEGER NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (inbox_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_subject (
  subject_key TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  record_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One accepted revision. Sameness is content_commitment = HMAC(record key, hash of the canonical content);
-- raw_commitment is the one that stands in the log, over the stored bytes.
CREATE TABLE record_revision (
  subject_key TEXT NOT NULL REFERENCES record_subject (subject_key),
  revision INTEGER NOT NULL,
  inbox_id INTEGER NOT NULL REFERENCES inbox (inbox_id),
  record_status TEXT NOT NULL,
  patient_key TEXT NOT NULL REFERENCES patient_lease (patient_key),
  patient_generation INTEGER NOT NULL,
  content_commitment TEXT NOT NULL,
  raw_commitment TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  PRIMARY KEY (subject_key, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_revision_inbox ON record_revision (inbox_id);

-- Work. `position` is the order of arrival and never leaves this schema; the state machine stands in
-- adapter/outbox/work_state.h.
CREATE TABLE work_item (
  position INTEGER PRIMARY KEY,
  work_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('record', 'issue-update', 'repair', 'observation', 'audit-event')),
  subject_key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  patient_key TEXT NOT NULL REFERENCES patient_lease (patient_key),
  depends_on TEXT,
  state TEXT NOT NULL CHECK (state IN ('received', 'mapped', 'queued', 'sending', 'delivered', 'retry',
                                       'ambiguous', 'quarantined', 'held', 'superseded')),
  reason_code TEXT,
  received_us INTEGER NOT NULL,
  next_attempt_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  first_attempt_us INTEGER,
  writes INTEGER NOT NULL DEFAULT 0,
  is_ambiguous INTEGER NOT NULL DEFAULT 0,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT;

-- What keeps later work of a patient waiting, in order.
CREATE INDEX work_item_line ON work_item (patient_key, position)
  WHERE state IN ('received', 'mapped', 'queued', 'sending', 'retry', 'ambiguous');
CREATE INDEX work_item_unmapped ON work_item (position) WHERE state = 'received';
CREATE INDEX work_item_held ON work_item (patient_key, reason_code) WHERE state = 'held';
CREATE INDEX work_item_dependent ON work_item (depends_on) WHERE depends_on IS NOT NULL AND state = 'held';
CREATE INDEX work_item_subject ON work_item (subject_key, revision, position);
CREATE INDEX work_item_state ON work_item (state, position);

-- How many items are in each state, kept with each change.
CREATE TABLE work_count (
  state TEXT PRIMARY KEY,
  items INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO work_count (state, items) VALUES
  ('received', 0), ('mapped', 0), ('queued', 0), ('sending', 0), ('delivered', 0), ('retry', 0),
  ('ambiguous', 0), ('quarantined', 0), ('held', 0), ('superseded', 0), ('rejected', 0);

-- Why it waits (is_note = 0), and what else was noticed: codes and places, no values.
CREATE TABLE work_reason (
  position INTEGER NOT NULL REFERENCES work_item (position),
  is_note INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  code TEXT NOT NULL,
  pointer TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (position, is_note, ordinal)
) STRICT, WITHOUT ROWID;

-- Maps, models, ConceptMaps, rules and the configuration they read, as they were used.
CREATE TABLE map_set (
  sha256 TEXT PRIMARY KEY,
  bytes BLOB NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT;

CREATE TABLE mapping (
  position INTEGER PRIMARY KEY REFERENCES work_item (position),
  map_set_sha256 TEXT NOT NULL REFERENCES map_set (sha256),
  map_id TEXT NOT NULL,
  map_version TEXT NOT NULL,
  engine TEXT NOT NULL,
  patient_generation INTEGER NOT NULL,
  output_sha256 TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT;

-- Erasable: what the patient check compares.
CREATE TABLE mapping_patient (
  position INTEGER PRIMARY KEY REFERENCES mapping (position),
  sex TEXT NOT NULL,
  birth_date TEXT NOT NULL
) STRICT;

-- Erasable: the facts of the store that the rules read.
CREATE TABLE mapping_fact (
  position INTEGER NOT NULL REFERENCES mapping (position),
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('firing', 'record')),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (position, ordinal)
) STRICT, WITHOUT ROWID;

-- Erasable: the resources intended for the server.
CREATE TABLE work_resource (
  position INTEGER NOT NULL REFERENCES work_item (position),
  ordinal INTEGER NOT NULL,
  type TEXT NOT NULL,
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  uuid TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  has_identifier_search INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (position, ordinal)
) STRICT;

-- Erasable: the server's last OperationOutcome.
CREATE TABLE work_answer (
  position INTEGER PRIMARY KEY REFERENCES work_item (position),
  bytes BLOB NOT NULL
) STRICT;

-- Erasable: what people gave as the reason of a change, beside its audit entry.
CREATE TABLE work_remark (
  audit_seq INTEGER PRIMARY KEY REFERENCES audit_entry (seq),
  position INTEGER REFERENCES work_item (position),
  remark TEXT NOT NULL
) STRICT;

CREATE INDEX work_remark_position ON work_remark (position);

-- What the server is known to hold.
CREATE TABLE resource_ledger (
  ledger_id INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  type TEXT NOT NULL,
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  server_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  etag TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  subject_key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  patient_key TEXT NOT NULL,
  patient_generation INTEGER NOT NULL,
  nullified INTEGER NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  UNIQUE (endpoint, type, system, value)
) STRICT;

CREATE INDEX resource_ledger_subject ON resource_ledger (subject_key, endpoint);
CREATE INDEX resource_ledger_server ON resource_ledger (type, server_id);

-- Erasable: what was sent.
CREATE TABLE resource_content (
  ledger_id INTEGER PRIMARY KEY REFERENCES resource_ledger (ledger_id),
  bytes BLOB NOT NULL
) STRICT;

-- When a plausibility rule first fired for a record.
CREATE TABLE rule_firing (
  subject_key TEXT NOT NULL,
  issue TEXT NOT NULL,
  recorded TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  PRIMARY KEY (subject_key, issue)
) STRICT, WITHOUT ROWID;

-- Erasable: what a record tells the rules of its patient's other records.
CREATE TABLE patient_fact (
  subject_key TEXT PRIMARY KEY,
  patient_key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  fact TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_fact_patient ON patient_fact (patient_key, subject_key);
