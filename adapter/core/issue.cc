#include "core/issue.h"

namespace fhir_adapter {

Disposition Gravest(const Issues& issues) {
  auto gravest = Disposition::kNote;
  for (const Issue& issue : issues) {
    if (issue.disposition() == Disposition::kRejected) return Disposition::kRejected;
    if (issue.disposition() != Disposition::kNote) gravest = Disposition::kQuarantined;
  }
  return gravest;
}

std::string ToLine(const Issue& issue) {
  std::string line = issue.where.file;
  if (issue.where.line != 0) {
    line += ":" + std::to_string(issue.where.line);
    if (issue.where.column != 0) line += ":" + std::to_string(issue.where.column);
  }
  line += ": " + issue.where.pointer + ": ";
  line += Name(issue.code);
  line += ": " + issue.message + " (";
  line += Name(issue.disposition());
  return line + ")";
}

}  // namespace fhir_adapter
