-- Records whose content was erased. What names them (site, record id, places on servers) stays, as it does in the log.
PRAGMA user_version = 12;

-- Erasable: `reason`, which is free text. finished_us: when nothing was left outside the tables either (folders, the
-- write-ahead log, pages that hold old copies of rows).
CREATE TABLE erasure (
  subject_key TEXT PRIMARY KEY,
  erased_us INTEGER NOT NULL,
  finished_us INTEGER,
  reason TEXT NOT NULL,
  audit_seq INTEGER NOT NULL REFERENCES audit_entry (seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_found_patient ON patient_found (patient_key);
