// KeyTable: keys that can be erased. What the log says of a payload or a patient is an HMAC under such a key.
//
// A record's key is made with its first revision, a patient's with the first record that names the patient.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

class KeyTable {
 public:
  explicit KeyTable(Random& random) : random_(random) {}

  // Made when there is none.
  Result<std::string> RecordKey(storage::Transaction& transaction, std::string_view subject_key);
  // The opaque key of the patient, with its place in the order of work; made when there is none.
  Result<std::string> PatientKey(storage::Transaction& transaction, std::string_view mrn);

  // A place in the order of work beside those of the patients; nothing happens when there is one.
  static Result<void> AddLine(storage::Transaction& transaction, std::string_view key);

  // A name for a receipt or a piece of work: 16 characters that can be read aloud.
  std::string NewName();

 private:
  std::string NewKey();

  Random& random_;
};

}  // namespace fhir_adapter::outbox
