#include "outbox/sqlite/key_table.h"

#include "core/digest.h"
#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

constexpr int kKeyWords = 4;         // of 8 bytes
constexpr int kNameCharacters = 16;  // of 5 bits

}  // namespace

std::string KeyTable::NewKey() {
  std::string key;
  for (int i = 0; i < kKeyWords; ++i) {
    const std::uint64_t word = random_.Next();
    for (int shift = 0; shift < 64; shift += 8) key += static_cast<char>((word >> shift) & 0xFF);
  }
  return key;
}

std::string KeyTable::NewName() {
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's, lower case
  std::string name;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = random_.Next();
    for (int i = 0; i < kNameCharacters / 2; ++i, bits >>= 5) name += kAlphabet[bits & 31];
  }
  return name;
}

Result<std::string> KeyTable::RecordKey(storage::Transaction& transaction, std::string_view subject_key) {
  storage::Connection& connection = storage::ConnectionOf(transaction);
  {
    storage::Statement known = connection.Use(KeyQueries()["record_key"]);
    known.Bind(subject_key);
    ADAPTER_TRY(const bool has_row, known.Step());
    if (has_row) return known.Text(0);
  }
  std::string key = NewKey();
  ADAPTER_CHECK(
      connection.Use(KeyQueries()["insert_record_key"]).Bind(subject_key, storage::Blob{key}).Run());
  return key;
}

Result<std::string> KeyTable::PatientKey(storage::Transaction& transaction, std::string_view mrn) {
  storage::Connection& connection = storage::ConnectionOf(transaction);
  {
    storage::Statement known = connection.Use(KeyQueries()["patient_of_mrn"]);
    known.Bind(mrn);
    ADAPTER_TRY(const bool has_row, known.Step());
    if (has_row) return known.Text(0);
  }
  const std::string key = NewKey();
  std::string patient_key = HmacSha256Hex(key, mrn);
  ADAPTER_CHECK(
      connection.Use(KeyQueries()["insert_patient"]).Bind(patient_key, mrn, storage::Blob{key}).Run());
  ADAPTER_CHECK(AddLine(transaction, patient_key));
  return patient_key;
}

Result<void> KeyTable::AddLine(storage::Transaction& transaction, std::string_view key) {
  return storage::ConnectionOf(transaction).Use(KeyQueries()["insert_lease"]).Bind(key).Run();
}

}  // namespace fhir_adapter::outbox
