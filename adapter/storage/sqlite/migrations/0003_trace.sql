-- What an auditor comes with: a record's own number, an identifier of a resource, a patient.
PRAGMA user_version = 3;

CREATE INDEX record_subject_record ON record_subject (record_id);
CREATE INDEX record_revision_patient ON record_revision (patient_key);
CREATE INDEX resource_ledger_identifier ON resource_ledger (value, system);
