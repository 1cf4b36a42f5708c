-- Observations that the EHR pushes. Each version of one is a record_revision of the subject {site}.ehr.{id}, and its
-- work is of the kind `observation`, which the first schema knows already.
PRAGMA user_version = 4;

-- Erasable: the EHR's own identifiers of an Observation, as its newest version names them.
CREATE TABLE pushed_identifier (
  subject_key TEXT NOT NULL,
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (subject_key, system, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX pushed_identifier_value ON pushed_identifier (value, system);

-- Erasable: as which Patient of a server a patient was last found there, so that a reference to it can be read.
CREATE TABLE patient_found (
  endpoint TEXT NOT NULL,
  server_id TEXT NOT NULL,
  patient_key TEXT NOT NULL REFERENCES patient_lease (patient_key),
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq),
  PRIMARY KEY (endpoint, server_id)
) STRICT, WITHOUT ROWID;

-- What stands in a patient's chart: what a pushed Observation can speak of.
CREATE INDEX resource_ledger_patient ON resource_ledger (patient_key, type);
CREATE INDEX patient_link_server ON patient_link (server_id);
