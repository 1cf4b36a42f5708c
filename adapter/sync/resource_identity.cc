#include "sync/resource_identity.h"

#include <array>
#include <cstdlib>
#include <openssl/evp.h>

namespace fhir_adapter::sync {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// RFC 9562 section 6.6: the namespace of URLs.
constexpr std::array<unsigned char, 16> kUrlNamespace = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                                         0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void AppendTokenPart(std::string_view part, std::string& out) {
  constexpr char kUpperHexDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : part) {
    if (c == '\\' || c == ',' || c == '|' || c == '$') escaped += '\\';
    escaped += c;
  }
  for (const char c : escaped) {
    if (IsUnreserved(c) || c == ':' || c == '/') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kUpperHexDigits[byte >> 4];
    out += kUpperHexDigits[byte & 0xF];
  }
}

bool IsIdPart(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    if (!IsUnreserved(c) || c == '_' || c == '~') return false;
  }
  return true;
}

}  // namespace

std::string UuidOf(std::string_view system, std::string_view value) {
  std::string name(reinterpret_cast<const char*>(kUrlNamespace.data()), kUrlNamespace.size());
  name.append(system).append("|").append(value);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(name.data(), name.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) std::abort();
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0F) | 0x50);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3F) | 0x80);
  std::string uuid;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += kHexDigits[digest[i] >> 4];
    uuid += kHexDigits[digest[i] & 0xF];
  }
  return uuid;
}

bool HasIdentifierSearch(std::string_view type) {
  return type != "AdverseEvent" && type != "Provenance" && type != "AuditEvent";
}

std::string SearchToken(std::string_view system, std::string_view value) {
  std::string token;
  AppendTokenPart(system, token);
  token += '|';
  AppendTokenPart(value, token);
  return token;
}

std::string EntityTag(std::string_view version_id) {
  return version_id.empty() ? std::string() : "W/\"" + std::string(version_id) + "\"";
}

std::string VersionOfEntityTag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

ResourceLocation ParseLocation(std::string_view location, std::string_view base_url) {
  if (!base_url.empty() && location.starts_with(base_url)) location.remove_prefix(base_url.size());
  while (location.starts_with('/')) location.remove_prefix(1);
  if (location.find("://") != std::string_view::npos) return {};
  ResourceLocation found;
  const std::size_t slash = location.find('/');
  if (slash == std::string_view::npos) return {};
  found.type = location.substr(0, slash);
  location.remove_prefix(slash + 1);
  constexpr std::string_view kHistory = "/_history/";
  const std::size_t history = location.find(kHistory);
  found.id = location.substr(0, history);
  if (history != std::string_view::npos) found.version_id = location.substr(history + kHistory.size());
  const bool version_ok = found.version_id.empty() || IsIdPart(found.version_id);
  if (!IsIdPart(found.type) || !IsIdPart(found.id) || !version_ok) return {};
  return found;
}

}  // namespace fhir_adapter::sync
