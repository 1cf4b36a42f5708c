#include "core/error.h"

#include <array>

namespace fhir_adapter {
namespace {

constexpr std::array kCodes = {
#define ADAPTER_CODE(name, wire, disposition, http, hl7, issue_type, help) \
  CodeInfo{wire, Disposition::k##disposition, http, hl7, issue_type, help},
#include "core/error_codes.def"
#undef ADAPTER_CODE
};

}  // namespace

const CodeInfo& Describe(Code code) {
  return kCodes[static_cast<std::size_t>(code)];
}

std::string_view Name(Code code) {
  return Describe(code).name;
}

std::string_view Name(Disposition disposition) {
  switch (disposition) {
    case Disposition::kRejected:
      return "rejected";
    case Disposition::kQuarantined:
      return "quarantined";
    case Disposition::kHeld:
      return "held";
    case Disposition::kNote:
      return "note";
    case Disposition::kRetry:
      return "retry";
    case Disposition::kFatal:
      return "fatal";
  }
  return "fatal";
}

std::string ToString(const Error& error) {
  std::string text;
  if (!error.where.file.empty()) text += error.where.file + ":";
  if (error.where.line != 0) {
    text += std::to_string(error.where.line) + ":";
    if (error.where.column != 0) text += std::to_string(error.where.column) + ":";
  }
  if (!text.empty()) text += " ";
  if (!error.where.pointer.empty()) text += error.where.pointer + ": ";
  return text + error.message;
}

}  // namespace fhir_adapter
