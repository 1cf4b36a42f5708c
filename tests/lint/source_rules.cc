#include "source_rules.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <re2/re2.h>
#include <set>
#include <sstream>

namespace fhir_adapter::lint {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "fhirpath" of "adapter/fhirpath/functions/math.cc"; empty outside adapter/.
std::string ModuleOf(const std::string& path) {
  if (!path.starts_with("adapter/")) return "";
  const std::size_t end = path.find('/', 8);
  return end == std::string::npos ? "" : path.substr(8, end - 8);
}

const std::map<std::string, std::set<std::string>>& AllowedIncludes() {
  static const std::set<std::string> ring = {"core", "fhir", "record", "fhirpath", "fml", "rules"};
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"core", {}},
      {"fhir", {"core"}},
      {"record", {"core", "fhir"}},
      {"fhirpath", {"core", "fhir"}},
      {"fml", {"core", "fhir", "fhirpath", "record"}},
      {"rules", {"core", "fhir", "fhirpath", "record", "fml"}},
      {"storage", {"core"}},
      {"outbox", {"core", "storage", "audit"}},
      {"audit", {"core", "storage"}},
      {"pipeline", {"core", "fhir", "record", "fhirpath", "fml", "rules", "outbox", "audit", "storage"}},
      {"net", {"core"}},
      {"database", {"core"}},
      {"intake", {"core", "record", "net", "database", "outbox", "pipeline", "storage"}},
      {"sync", {"core", "fhir", "outbox", "audit"}},
      {"sandbox", {"core", "net", "fhir", "storage"}},
      {"console", {"core", "net", "outbox", "audit"}},
  };
  return allowed;
}

// Outside their backend folders, outbox, audit and pipeline see of storage only the port.
bool IsPortHeader(const std::string& include) {
  return include == "storage/transaction.h";
}

bool MayInclude(const std::string& path, const std::string& module, const std::string& include) {
  const std::string target = include.substr(0, include.find('/'));
  if (module == target || module == "app") return true;
  const auto row = AllowedIncludes().find(module);
  if (row == AllowedIncludes().end() || !row->second.contains(target)) return false;
  if (target != "storage" || module == "sandbox") return true;
  const bool backend =
      path.find("/sqlite/") != std::string::npos || path.find("/postgres/") != std::string::npos;
  return backend || IsPortHeader(include);
}

bool IsGenerated(const std::string& path) {
  return path.find("/generated/") != std::string::npos;
}

std::size_t LineOf(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

constexpr std::size_t kNoLine = static_cast<std::size_t>(-1);

// A constructor's body may open behind a list of initialisers: `    : a_(a),` and more lines. Gives the line
// before it.
std::size_t BeforeInitialisers(const std::vector<std::string>& lines, std::size_t i) {
  const auto begins_list = [&](std::size_t k) {
    const std::size_t text = lines[k].find_first_not_of(' ');
    return text != std::string::npos && lines[k].compare(text, 2, ": ") == 0;
  };
  std::size_t k = i;
  while (k > 0 && !begins_list(k) && lines[k - 1].ends_with(",")) --k;
  return k > 0 && begins_list(k) ? k - 1 : i;
}

// In formatted code a function opens on a line that ends in '{' and holds a ')'. Gives the line on which its
// head begins (parameters may stand on several), or kNoLine when line `i` opens no function.
std::size_t FunctionHead(const std::vector<std::string>& lines, std::size_t i) {
  static const RE2 statement(
      "^ *(namespace|struct|class|enum|union|if|for|while|switch|do|else|try|return|case|[})#])");
  if (!lines[i].ends_with("{") || lines[i].find(')') == std::string::npos) return kNoLine;
  std::size_t first = BeforeInitialisers(lines, i);
  auto depth = std::ranges::count(lines[first], ')') - std::ranges::count(lines[first], '(');
  while (depth > 0 && first > 0) {
    --first;
    depth += std::ranges::count(lines[first], ')') - std::ranges::count(lines[first], '(');
  }
  return RE2::PartialMatch(lines[first], statement) ? kNoLine : first;
}

void AddMatches(const SourceFile& file, const std::string& text, const RE2& pattern, const std::string& rule,
                const std::string& message, Findings& out) {
  const std::vector<std::string> lines = Lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (RE2::PartialMatch(lines[i], pattern)) out.push_back({file.path, i + 1, rule, message});
  }
}

}  // namespace

std::vector<SourceFile> ReadTree(const std::string& root, const std::vector<std::string>& folders,
                                 const std::vector<std::string>& endings) {
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(fs::path(root) / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      const std::string name = entry.path().filename().string();
      const bool wanted =
          std::ranges::any_of(endings, [&](const std::string& end) { return name.ends_with(end); });
      if (!entry.is_regular_file() || !wanted) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      files.push_back(
          {fs::relative(entry.path(), root).generic_string(),
           std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>())});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::string WithoutComments(std::string_view text, bool keep_strings) {
  std::string out(text);
  const auto blank = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && i < out.size(); ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "//") {
      const std::size_t end = std::min(text.find('\n', i), text.size());
      blank(i, end);
      i = end - 1;
    } else if (text.substr(i, 2) == "/*") {
      const std::size_t end = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
      blank(i, end);
      i = end - 1;
    } else if (text.substr(i, 2) == "R\"" &&
               (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1])))) {
      const std::size_t open = text.find('(', i);
      const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
      const std::size_t end = std::min(text.find(close, open), text.size());
      if (!keep_strings) blank(open + 1, end);
      i = std::min(end + close.size(), text.size()) - 1;
    } else if (text[i] == '"' ||
               (text[i] == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1]))))) {
      const char quote = text[i];
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != quote && text[end] != '\n') end += text[end] == '\\' ? 2U : 1U;
      if (!keep_strings) blank(i + 1, end);
      i = end;
    }
  }
  return out;
}

void CheckIncludes(const SourceFile& file, Findings& out) {
  static const RE2 include("^\\s*#include\\s+\"([^\"]+)\"");
  const std::string module = ModuleOf(file.path);
  const std::vector<std::string> lines = Lines(file.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string target;
    if (!RE2::PartialMatch(lines[i], include, &target)) continue;
    if (target.find("../") != std::string::npos) {
      out.push_back({file.path, i + 1, "include", "no ../ in an include: write it from adapter/"});
    } else if (!module.empty() && target.find('/') != std::string::npos &&
               !MayInclude(file.path, module, target)) {
      out.push_back({file.path, i + 1, "include", module + " may not include " + target});
    }
  }
}

void CheckThirdParty(const SourceFile& file, Findings& out) {
  struct Rule {
    const char* pattern;
    std::set<std::string> modules;
  };
  static const std::vector<Rule> rules = {
      {"#include <rapidjson/", {"fhir"}},
      {"#include <boost/", {"net", "intake"}},
      {"#include <sqlite3", {"storage", "database", "app"}},
      {"#include <libpq", {"storage", "database"}},
      {"#include <sql.h", {"database"}},
      {"#include <sqlext", {"database"}},
      {"#include <curl/", {"sync", "app"}},
      {"#include <toml", {"app"}},
      {"#include <CLI/", {"app"}},
      {"#include <thread>", {"storage", "pipeline", "net", "intake", "sync", "sandbox", "app"}},
  };
  const std::string module = ModuleOf(file.path);
  if (module.empty()) return;
  for (const Rule& rule : rules) {
    if (rule.modules.contains(module)) continue;
    const std::size_t at = file.text.find(rule.pattern);
    if (at == std::string::npos) continue;
    out.push_back({file.path, LineOf(file.text, at), "third-party",
                   std::string(rule.pattern) + " does not belong in " + module});
  }
  const bool header = file.path.ends_with(".h");
  const std::size_t at = file.text.find("#include <boost/");
  if (header && at != std::string::npos && file.path.find("/detail/") == std::string::npos) {
    out.push_back(
        {file.path, LineOf(file.text, at), "third-party", "Asio and Beast stand in .cc files only"});
  }
}

void CheckSizes(const SourceFile& file, Findings& out) {
  if (IsGenerated(file.path)) return;
  const std::vector<std::string> lines = Lines(WithoutComments(file.text, false));
  if (lines.size() > 800) out.push_back({file.path, 801, "size", "a file has at most 800 lines"});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t first = FunctionHead(lines, i);
    if (first == kNoLine) continue;
    const std::string close = std::string(lines[first].find_first_not_of(' '), ' ') + "}";
    std::size_t end = i + 1;
    while (end < lines.size() && !lines[end].starts_with(close)) ++end;
    if (end - first + 1 > 70)
      out.push_back({file.path, first + 1, "size", "a function has at most 70 lines"});
  }
  std::size_t pure = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("class ") || lines[i].starts_with("struct ")) pure = 0;
    if (lines[i].find(") = 0;") != std::string::npos || lines[i].find("const = 0;") != std::string::npos)
      ++pure;
    if (pure == 16) {
      out.push_back({file.path, i + 1, "size", "an interface has at most 15 methods"});
      pure = 0;
    }
  }
}

void CheckNoSql(const SourceFile& file, Findings& out) {
  static const RE2 sql(
      "\"[^\"]*\\b(SELECT [^\"]* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE [a-z_]+ SET|DELETE FROM|CREATE "
      "(TABLE|INDEX|UNIQUE))\\b");
  AddMatches(file, WithoutComments(file.text, true), sql, "sql", "SQL stands in .sql files", out);
}

void CheckStateWrites(const SourceFile& file, Findings& out) {
  if (!file.path.ends_with(".sql")) return;
  static const RE2 write("(?i)(\\bUPDATE\\s+(work_item|record_revision)\\b[^;]*\\bSET\\b[^;]*\\bstate\\s*=)");
  const std::string& text = file.text;
  re2::StringPiece rest(text);
  re2::StringPiece found;
  while (RE2::FindAndConsume(&rest, write, &found)) {
    const auto offset = static_cast<std::size_t>(found.data() - text.data());
    const std::size_t name = text.rfind("-- name:", offset);
    const std::string query =
        name == std::string::npos ? "" : text.substr(name, text.find('\n', name) - name);
    if (query.find("change_state") != std::string::npos) continue;
    out.push_back(
        {file.path, LineOf(text, offset), "state", "a state changes in the query change_state… only"});
  }
}

void CheckNoClinicalWords(const SourceFile& file, Findings& out) {
  if (!file.path.starts_with("adapter/") || IsGenerated(file.path)) return;
  static const RE2 word(
      "(?i)midazolam|magnesium|calcium|gluconate|dormicum|snomed\\.info/sct/"
      "?[|\"]?[0-9]{6,}|[^-\\w][0-9]{3,5}-[0-9]\\b\"|\"[0-9]{7,}\"|"  // iso-8859-1 is none of them
      "\"(mg|mL|mmol/L|mg/dL|ug)\"");
  AddMatches(file, WithoutComments(file.text, true), word, "clinical",
             "drugs, codes and units belong in mappings/", out);
}

void CheckCoAwait(const SourceFile& file, Findings& out) {
  const std::string text = WithoutComments(file.text, false);
  for (std::size_t at = text.find("co_await "); at != std::string::npos;
       at = text.find("co_await ", at + 1)) {
    const std::size_t begin = text.find_last_of(";{}", at) + 1;
    const std::size_t end = std::min(text.find(';', at), text.size());
    std::string statement = text.substr(begin, end - begin);
    const std::size_t block = statement.find(") {");  // `if (auto r = co_await …) {`
    if (block != std::string::npos && statement.find("co_await") < block) statement.resize(block);
    if (statement.find('{') != std::string::npos || statement.find(" ? ") != std::string::npos ||
        statement.find("](") != std::string::npos || statement.find("[]") != std::string::npos) {
      out.push_back({file.path, LineOf(text, at), "co_await",
                     "no brace temporary, lambda or ?: in a co_await statement"});
    }
  }
}

void CheckMarkdown(const SourceFile& file, Findings& out) {
  static const RE2 broken("^(#+[^# ]| {16})");
  const std::vector<std::string> lines = Lines(file.text);
  bool is_code = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find("```") != std::string::npos) is_code = !is_code;
    if (!is_code && RE2::PartialMatch(lines[i], broken))
      out.push_back({file.path, i + 1, "markdown", "no heading and no paragraph of Markdown begins so"});
  }
}

void CheckStandsAlone(const SourceFile& file, Findings& out) {
  static const RE2 machine(
      "(^|[^A-Za-z0-9_.])/(work|farm|root|home/[a-z]+)/|\\.\\./shared|repo1?\\.maven|registry\\.npmjs|"
      "pypi\\.org|proxy\\.golang|crates\\.io|deb\\.debian");
  AddMatches(file, file.text, machine, "stands-alone", "no machine path, no registry host", out);
}

std::string ToText(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.path + ":" + std::to_string(finding.line) + ": " + finding.rule + ": " + finding.message +
            "\n";
  }
  return text;
}

}  // namespace fhir_adapter::lint
