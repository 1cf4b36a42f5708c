#include "intake/operation_outcome.h"

#include <algorithm>
#include <string_view>

namespace fhir_adapter::intake {
namespace {

using net::HttpResponse;
using net::JsonString;

struct OutcomeIssue {
  std::string_view severity;
  std::string_view type;  // of the value set issue-type
  std::string_view code;  // ours
  std::string diagnostics;
  std::string_view expression;
};

std::string IssueJson(const OutcomeIssue& issue) {
  std::string json = "{\"severity\":" + JsonString(issue.severity) + ",\"code\":" + JsonString(issue.type);
  if (!issue.code.empty()) json += ",\"details\":{\"text\":" + JsonString(issue.code) + "}";
  json += ",\"diagnostics\":" + JsonString(issue.diagnostics);
  if (!issue.expression.empty()) json += ",\"expression\":[" + JsonString(issue.expression) + "]";
  return json + "}";
}

std::string OutcomeJson(const std::string& issues) {
  return "{\"resourceType\":\"OperationOutcome\",\"issue\":[" + issues + "]}";
}

HttpResponse Respond(int status, const std::string& issues) {
  HttpResponse response = HttpResponse::WithBody(status, kFhirJson, OutcomeJson(issues));
  if (status == 503) response.headers.Set("Retry-After", "5");
  return response;
}

// The issue type for what the HTTP server refuses by itself.
std::string_view TypeOfStatus(int status) {
  switch (status) {
    case 401:
      return "login";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 405:
    case 415:
      return "not-supported";
    case 413:
    case 431:
      return "too-long";
    case 429:
      return "throttled";
    case 503:
      return "transient";
    default:
      return status >= 500 ? "exception" : "invalid";
  }
}

std::string IssueJson(const Issue& issue) {
  const CodeInfo& info = Describe(issue.code);
  std::string diagnostics;
  if (issue.where.line != 0) {
    diagnostics =
        "line " + std::to_string(issue.where.line) + ", column " + std::to_string(issue.where.column) + ": ";
  }
  diagnostics += issue.message.empty() ? std::string(info.help) : issue.message;
  return IssueJson(OutcomeIssue{"error", info.issue_type, info.name, diagnostics, issue.where.pointer});
}

}  // namespace

HttpResponse OperationOutcomeResponse(const Issues& issues) {
  int status = 400;
  for (const Issue& issue : issues) status = std::max(status, Describe(issue.code).http_status);
  std::string list;
  for (const Issue& issue : issues) list += (list.empty() ? "" : ",") + IssueJson(issue);
  return Respond(status, list);
}

HttpResponse OperationOutcomeResponse(const Error& error) {
  return OperationOutcomeResponse(Issues{Issue{error.code, error.where, error.message}});
}

HttpResponse OperationOutcomeResponse(const net::HttpProblem& problem) {
  return Respond(
      problem.status,
      IssueJson(OutcomeIssue{"error", TypeOfStatus(problem.status), problem.code, problem.detail, {}}));
}

std::string AllOkJson() {
  return OutcomeJson(IssueJson(OutcomeIssue{"information", "informational", {}, "stored", {}}));
}

}  // namespace fhir_adapter::intake
