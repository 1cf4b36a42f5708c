// HandWrittenMapper: what a programmer would write by hand instead of the maps, to compare with.
//
// Knows only what occurs in the synthetic cohort; its Bundle is, byte for byte, that of the maps
// (bench_mapping proves it before it measures anything). Written to be fast: tables are constants, texts and
// numbers of the record are shared, objects are made with the room they need, nothing is looked up twice.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "core/arena.h"
#include "fhir/node.h"

namespace fhir_adapter::bench {

// The systems and urls below the canonical base.
struct CanonicalNames {
  explicit CanonicalNames(const std::string& base);

  std::string administration;
  std::string condition;
  std::string device;
  std::string observation;
  std::string procedure;
  std::string mrn;
  std::string local_codes;
  std::string algorithm_stage;
  std::string series_number;
  std::string solution_ph;
  std::string preservative_free;
};

class HandWrittenMapper {
 public:
  explicit HandWrittenMapper(const std::string& canonical_base) : names_(canonical_base) {}

  // A transaction Bundle in `arena`, which shares texts and numbers with the record. Null: the record is not
  // a completed one, as all of the cohort are.
  fhir::Node* Map(const fhir::Node& record, std::string_view record_key, Arena& arena) const;

 private:
  CanonicalNames names_;
};

}  // namespace fhir_adapter::bench
