#include "database/odbc_string.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fhir_adapter::database {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Failure Unreadable(const char* why) {
  return Fail(Code::kConfiguration, std::string("the connection string cannot be read: ") + why);
}

// Takes a value in braces off the front of `text`.
Result<std::string> TakeBraced(std::string_view& text) {
  std::string value;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] != '}') {
      value += text[at];
      continue;
    }
    const bool is_doubled = at + 1 < text.size() && text[at + 1] == '}';
    if (!is_doubled) {
      text = Trimmed(text.substr(at + 1));
      return value;
    }
    value += '}';
    ++at;
  }
  return Unreadable("a { has no }");
}

std::string Value(const std::map<std::string, std::string>& keywords,
                  std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = keywords.find(name);
    if (found != keywords.end() && !found->second.empty()) return LowerCase(found->second);
  }
  return {};
}

// With or without a protocol before it, a port or an instance behind it: tcp:127.0.0.1,1433.
bool IsThisMachine(std::string server) {
  if (server.starts_with("tcp:")) server.erase(0, 4);
  server = server.substr(0, server.find_first_of(",\\"));
  const bool has_one_colon = std::ranges::count(server, ':') == 1;
  if (has_one_colon) server = server.substr(0, server.find(':'));
  return server.starts_with("/") || server.starts_with("127.") || server == "localhost" || server == "::1";
}

// In the words of psqlODBC, MySQL and MariaDB, SQL Server, and Db2.
bool DemandsVerifiedTls(const std::map<std::string, std::string>& keywords) {
  const std::string mode = Value(keywords, {"sslmode"});
  constexpr std::array kModes = {"verify-full", "verify-ca", "verify_identity", "verify_ca"};
  if (std::ranges::find(kModes, mode) != kModes.end()) return true;
  if (Value(keywords, {"sslverify"}) == "1") return true;
  const std::string encrypt = Value(keywords, {"encrypt"});
  const std::string trust = Value(keywords, {"trustservercertificate"});
  const bool is_encrypted = encrypt == "yes" || encrypt == "mandatory" || encrypt == "strict";
  if (is_encrypted && (trust.empty() || trust == "no")) return true;
  return Value(keywords, {"security"}) == "ssl" && !Value(keywords, {"sslservercertificate"}).empty();
}

}  // namespace

Result<std::map<std::string, std::string>> ReadOdbcString(std::string_view text) {
  std::map<std::string, std::string> keywords;
  for (text = Trimmed(text); !text.empty(); text = Trimmed(text)) {
    if (text.front() == ';') {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t equals = text.find('=');
    const std::size_t end = std::min(text.find(';'), text.size());
    if (equals == std::string_view::npos || equals > end) return Unreadable("a keyword has no value");
    const std::string keyword = LowerCase(Trimmed(text.substr(0, equals)));
    text = Trimmed(text.substr(equals + 1));
    std::string value;
    if (text.starts_with('{')) {
      ADAPTER_TRY(value, TakeBraced(text));
      if (!text.empty() && text.front() != ';') return Unreadable("a value goes on behind its }");
    } else {
      value = Trimmed(text.substr(0, text.find(';')));
      text.remove_prefix(std::min(text.find(';'), text.size()));
    }
    if (!keywords.emplace(keyword, std::move(value)).second) return Unreadable("a keyword stands twice");
  }
  return keywords;
}

Result<void> CheckOdbcKeywords(const std::map<std::string, std::string>& keywords) {
  for (const char* name : {"dsn", "filedsn", "savefile"}) {
    if (!keywords.contains(name)) continue;
    return Fail(Code::kConfiguration,
                "name the driver (Driver=) and not a DSN or file, whose content is not checked here");
  }
  if (!keywords.contains("driver")) {
    return Fail(Code::kConfiguration, "odbc: is followed by a connection string with Driver=");
  }
  for (const char* name : {"pwd", "password"}) {
    if (!keywords.contains(name)) continue;
    return Fail(Code::kConfiguration,
                "the connection string holds a password: put it into a file and name that in password_file");
  }
  const std::string server = Value(keywords, {"server", "servername", "host", "hostname", "address", "dbq"});
  if (server.empty() || IsThisMachine(server) || DemandsVerifiedTls(keywords)) return {};
  return Fail(
      Code::kConfiguration,
      "another machine is spoken to over TLS with its certificate verified only: sslmode=verify-full, "
      "or Encrypt=yes;TrustServerCertificate=no, or what the driver calls it (deploy/README.md)");
}

std::string OdbcValue(std::string_view value) {
  std::string braced = "{";
  for (const char c : value) {
    if (c == '}') braced += '}';
    braced += c;
  }
  return braced + "}";
}

}  // namespace fhir_adapter::database
