#include "core/digest.h"
#include "outbox/inbox.h"

namespace fhir_adapter::outbox {
namespace {

void AppendEscaped(std::string_view part, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char character : part) {
    const bool is_plain = (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
                          (character >= '0' && character <= '9') || character == '_' || character == '-';
    if (is_plain) {
      out += character;
      continue;
    }
    const auto byte = static_cast<unsigned char>(character);
    out += '~';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
}

void AppendMeasured(std::string_view text, std::string& out) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

}  // namespace

std::string SubjectKey(std::string_view site, std::string_view record_id) {
  std::string key;
  AppendEscaped(site, key);
  key += '.';
  AppendEscaped(record_id, key);
  return key;
}

std::string PushedSubjectKey(std::string_view site, std::string_view id) {
  std::string key;
  AppendEscaped(site, key);
  key += '.';
  key += kPushedRecordPrefix;
  AppendEscaped(id, key);
  return key;
}

std::string AuditKey(std::string_view key) {
  return std::string(key) + std::string(kAuditKeyEnding);
}

std::string_view WithoutAuditEnding(std::string_view key) {
  if (key.ends_with(kAuditKeyEnding)) key.remove_suffix(kAuditKeyEnding.size());
  return key;
}

std::string AuditEventValue(std::string_view site, std::int64_t sequence) {
  std::string value;
  AppendEscaped(site, value);
  return value + "." + std::to_string(sequence);
}

std::string OutputHash(const std::vector<IntendedResource>& resources) {
  std::string all;
  for (const IntendedResource& resource : resources) {
    AppendMeasured(resource.key.type, all);
    AppendMeasured(resource.key.system, all);
    AppendMeasured(resource.key.value, all);
    AppendMeasured(resource.sha256, all);
  }
  return Sha256Hex(all);
}

}  // namespace fhir_adapter::outbox
