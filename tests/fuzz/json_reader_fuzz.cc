// The JSON reader within the limits of records: what it accepts, it reads again from what the writer makes of
// it, with the same content, and a copy and a second writing change nothing.
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "property.h"

#ifdef FHIR_ADAPTER_PLANTED_OVERFLOW
#include <memory>

namespace {

// The control of the fuzzing itself: a write past the end behind a prefix that no seed has. Volatile, so that
// the compiler keeps a branch for each character, as parsers have.
void PlantedOverflow(std::string_view text) {
  const volatile char* at = text.data();
  if (text.size() >= 3 && at[0] == '#' && at[1] == 'O') {
    const auto bytes = std::make_unique<char[]>(2);
    static_cast<volatile char*>(bytes.get())[2] = at[2];
  }
}

}  // namespace
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view text = fuzz::TextOf(data, size);
#ifdef FHIR_ADAPTER_PLANTED_OVERFLOW
  PlantedOverflow(text);
#endif
  Arena arena;
  const auto read = fhir::ReadJson(text, arena, fhir::kRecordLimits);
  if (!read) {
    fuzz::Demand(read.error().where.line > 0 || read.error().code == Code::kLimit,
                 "a refusal says where it is");
    return 0;
  }
  const std::string written = fhir::ToJson(**read);
  const auto again = fhir::ReadJson(written, arena, fhir::kRecordLimits);
  fuzz::Demand(again.has_value(), "what is written can be read");
  fuzz::Demand(fhir::SameContent(**read, **again), "what is written is read as the same content");
  fuzz::Demand(fhir::ToJson(**again) == written, "writing again gives the same bytes");
  const fhir::Node* copy = fhir::Clone(**read, arena);
  fuzz::Demand(fhir::SameContent(**read, *copy), "a copy has the same content");
  return 0;
}
