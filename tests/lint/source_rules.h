// The house rules that a program can check, each a function over the text of one file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fhir_adapter::lint {

struct SourceFile {
  std::string path;  // relative to the project, with '/'
  std::string text;
};

struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string rule;
  std::string message;
};

using Findings = std::vector<Finding>;

// All tracked source files below `root` whose name ends in one of the endings.
std::vector<SourceFile> ReadTree(const std::string& root, const std::vector<std::string>& folders,
                                 const std::vector<std::string>& endings);

// The text with comments and literals blanked out, same length and lines. `keep_strings` leaves string
// literals.
std::string WithoutComments(std::string_view text, bool keep_strings);

void CheckIncludes(const SourceFile& file, Findings& out);  // who may include whom; no ../
void CheckThirdParty(const SourceFile& file,
                     Findings& out);  // RapidJSON in fhir/, Asio in net/, SQLite in storage…
void CheckSizes(const SourceFile& file, Findings& out);        // file 800, function 70, interface 15
void CheckNoSql(const SourceFile& file, Findings& out);        // SQL stands in .sql files
void CheckStateWrites(const SourceFile& file, Findings& out);  // work states change in one query file only
void CheckNoClinicalWords(const SourceFile& file, Findings& out);  // no drug, no code, no unit in adapter/
void CheckCoAwait(const SourceFile& file, Findings& out);          // what g++ 12 miscompiles
void CheckMarkdown(const SourceFile& file, Findings& out);     // no page that a formatter of code went over
void CheckStandsAlone(const SourceFile& file, Findings& out);  // no machine path, no registry host

std::string ToText(const Findings& findings);

}  // namespace fhir_adapter::lint
