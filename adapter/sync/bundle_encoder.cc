#include "sync/bundle_encoder.h"

#include <algorithm>
#include <optional>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "sync/planned_request.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

void WriteMember(std::string_view name, std::string_view text, std::string& out) {
  fhir::WriteJsonString(name, out);
  out += ':';
  fhir::WriteJsonString(text, out);
}

void AppendEntry(const PlannedEntry& entry, const Literals& literals, const std::string& base_url,
                 std::string& out) {
  const std::string url = RequestUrl(entry);
  out += '{';
  WriteMember("fullUrl", entry.exists ? base_url + "/" + url : "urn:uuid:" + entry.uuid, out);
  out += ",\"resource\":";
  out += ServerForm(entry, literals);
  out += ",\"request\":{";
  WriteMember("method", MethodOf(entry) == Method::kPost ? "POST" : "PUT", out);
  out += ',';
  WriteMember("url", url, out);
  if (!entry.if_match.empty()) {
    out += ',';
    WriteMember("ifMatch", entry.if_match, out);
  }
  const std::string if_none_exist = IfNoneExist(entry);
  if (!if_none_exist.empty()) {
    out += ',';
    WriteMember("ifNoneExist", if_none_exist, out);
  }
  out += "}}";
}

struct AnswerEntry {
  int status = 0;
  ResourceLocation location;
  std::string version_id;
  const Node* outcome = nullptr;
};

AnswerEntry ReadEntry(const Node& entry, const std::string& base_url) {
  AnswerEntry found;
  const Node* response = entry.Find("response");
  if (response == nullptr) return found;
  const std::string_view status = MemberText(*response, "status");
  if (status.size() >= 3 &&
      std::all_of(status.begin(), status.begin() + 3, [](char c) { return c >= '0' && c <= '9'; })) {
    found.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  }
  found.location = ParseLocation(MemberText(*response, "location"), base_url);
  found.outcome = response->Find("outcome");
  found.version_id = found.location.version_id;
  if (found.version_id.empty()) found.version_id = VersionOfEntityTag(MemberText(*response, "etag"));
  return found;
}

// Whether the answer can be the one to the entry of the plan.
bool Fits(const AnswerEntry& answer, const PlannedEntry& planned) {
  if (answer.location.type.empty()) return true;  // says nothing of its own
  if (answer.location.type != planned.key.type) return false;
  return planned.server_id.empty() || planned.server_id == answer.location.id;
}

bool HasFailed(const AnswerEntry& answer) {
  return answer.status < 200 || answer.status >= 300;
}

void TakeFailure(const AnswerEntry& answer, EncodedAnswer& read) {
  if (read.failed_status != 0) return;
  read.failed_status = answer.status == 0 ? 500 : answer.status;
  if (answer.outcome != nullptr && answer.outcome->is_object())
    read.failed_outcome = fhir::ToJson(*answer.outcome);
}

EntryAnswer MakeAnswer(std::size_t index, const AnswerEntry& answer, const PlannedEntry& planned) {
  EntryAnswer made;
  made.entry = index;
  made.status = answer.status;
  made.server_id = planned.server_id.empty() ? answer.location.id : planned.server_id;
  made.version_id = answer.version_id;
  return made;
}

EncodedAnswer Matched(const DeliveryPlan& plan, const std::vector<AnswerEntry>& answers) {
  EncodedAnswer read;
  const bool in_order = answers.size() == plan.entries.size() &&
                        std::equal(answers.begin(), answers.end(), plan.entries.begin(),
                                   [](const AnswerEntry& answer, const PlannedEntry& planned) {
                                     return Fits(answer, planned);
                                   });
  for (std::size_t i = 0; in_order && i < answers.size(); ++i) {
    if (HasFailed(answers[i])) {
      TakeFailure(answers[i], read);
      continue;
    }
    read.entries.push_back(MakeAnswer(i, answers[i], plan.entries[i]));
  }
  if (in_order) return read;
  // Entries are missing or exchanged: only an id that was sent says which one an answer belongs to.
  for (const AnswerEntry& answer : answers) {
    if (HasFailed(answer)) TakeFailure(answer, read);
    for (std::size_t i = 0; i < plan.entries.size() && !HasFailed(answer); ++i) {
      const PlannedEntry& planned = plan.entries[i];
      const bool same = !planned.server_id.empty() && answer.location.type == planned.key.type &&
                        answer.location.id == planned.server_id;
      if (same) read.entries.push_back(MakeAnswer(i, answer, planned));
    }
  }
  return read;
}

}  // namespace

std::vector<std::size_t> BundleEncoder::NextEntries(const DeliveryPlan& plan) const {
  std::vector<std::size_t> next;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    if (rung_ == Rung::kTransaction || !HasOpenReference(plan.entries[i], plan.literals)) next.push_back(i);
  }
  return next;
}

FhirRequest BundleEncoder::Encode(const DeliveryPlan& step) const {
  FhirRequest request;
  request.kind = RequestKind::kWrite;
  request.method = Method::kPost;
  request.body = R"({"resourceType":"Bundle",)";
  WriteMember("type", Name(rung_), request.body);
  request.body += R"(,"entry":[)";
  bool first = true;
  for (const PlannedEntry& entry : step.entries) {
    if (!first) request.body += ',';
    first = false;
    AppendEntry(entry, step.literals, base_url_, request.body);
  }
  request.body += "]}";
  return request;
}

Result<EncodedAnswer> BundleEncoder::Read(const DeliveryPlan& step, const FhirAnswer& answer) const {
  Arena arena;
  const auto bundle = fhir::ReadJson(answer.body, arena, fhir::kResourceLimits);
  if (!bundle || !(*bundle)->is_object() || MemberText(**bundle, "resourceType") != "Bundle") {
    return Fail(Code::kServerAnswer, "the answer to a Bundle is no Bundle");
  }
  const std::string_view type = MemberText(**bundle, "type");
  if (type != "transaction-response" && type != "batch-response") {
    return Fail(Code::kServerAnswer, "the answer to a Bundle is a Bundle of another type");
  }
  std::vector<AnswerEntry> answers;
  if (const Node* entries = (*bundle)->Find("entry")) {
    for (const Node* entry : entries->items()) answers.push_back(ReadEntry(*entry, base_url_));
  }
  if (answers.size() > step.entries.size()) {
    return Fail(Code::kServerAnswer, "the answer to a Bundle has more entries than were sent");
  }
  EncodedAnswer read = Matched(step, answers);
  // All or nothing has no entry that failed.
  read.was_taken_apart =
      rung_ == Rung::kTransaction && (type != "transaction-response" || read.failed_status != 0);
  return read;
}

}  // namespace fhir_adapter::sync
