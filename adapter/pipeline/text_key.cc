#include "pipeline/text_key.h"

#include "core/arena.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::pipeline {

std::optional<record::RecordKey> KeyOfText(const record::RecordText& text) {
  if (text.problem) return std::nullopt;
  Arena arena;
  const auto root = fhir::ReadJson(text.bytes, arena);
  return root ? record::ReadKey(**root) : std::nullopt;
}

}  // namespace fhir_adapter::pipeline
