#include "hapi_server.h"

#include <cstdlib>
#include <gtest/gtest.h>

#include "fhir/json_reader.h"
#include "sync/resource_content.h"

namespace fhir_adapter::test {
namespace {

// A busy machine takes more than a minute.
constexpr std::int64_t kStartMs = 300'000;

const std::vector<std::string> kTypes = {"AdverseEvent",
                                         "Condition",
                                         "DetectedIssue",
                                         "Device",
                                         "DocumentReference",
                                         "Encounter",
                                         "MedicationAdministration",
                                         "MedicationRequest",
                                         "Observation",
                                         "Procedure",
                                         "Provenance"};

}  // namespace

std::map<std::string, std::string> ServerContent::Versions() const {
  std::map<std::string, std::string> versions;
  for (const auto& [place, resource] : resources) {
    const fhir::Node* meta = resource->Find("meta");
    versions[place] = meta == nullptr ? "" : std::string(MemberText(*meta, "versionId"));
  }
  return versions;
}

std::map<std::string, int> ServerContent::CountByType() const {
  std::map<std::string, int> counts;
  for (const auto& [place, resource] : resources) ++counts[place.substr(0, place.find('/'))];
  return counts;
}

// The server ends when its standard input does, so that none stays behind when this process is killed. The
// long run with Helios names another script that keeps the same promises.
HapiServer::HapiServer() {
  ProcessOptions options;
  const char* other = std::getenv("FHIR_ADAPTER_INTEROP_SERVER");
  options.arguments = {
      "bash", "-c", R"(exec "$0" --port 0 < <(exec tail --pid=$PPID -f /dev/null 2>/dev/null))",
      other != nullptr ? other : FHIR_ADAPTER_SOURCE_DIR "/tests/interop/hapi-server/run.sh"};
  process_ = std::make_unique<Process>(options);
  const auto line = process_->WaitForLine("READY ", kStartMs);
  EXPECT_TRUE(line) << "the server did not start; tests/interop/fetch.sh brings it\n"
                    << process_->StandardError();
  if (!line) return;
  url_ = line->substr(line->find("http"));
  client_ = std::make_unique<HttpClient>(url_);
  client_->set_timeout_ms(120'000);
}

void HapiServer::RegisterPatient(const std::string& mrn, const std::string& gender,
                                 const std::string& birth_date) {
  Arena arena;
  fhir::Node* patient = fhir::Node::Object(arena);
  patient->Set(arena, "resourceType", fhir::Node::String(arena, "Patient"));
  fhir::Node* identifier = fhir::Node::Object(arena);
  identifier->Set(arena, "system", fhir::Node::String(arena, kMrnSystem));
  identifier->Set(arena, "value", fhir::Node::String(arena, mrn));
  fhir::Node* identifiers = fhir::Node::Array(arena);
  identifiers->Append(arena, identifier);
  patient->Set(arena, "identifier", identifiers);
  if (!gender.empty()) patient->Set(arena, "gender", fhir::Node::String(arena, gender));
  if (!birth_date.empty()) patient->Set(arena, "birthDate", fhir::Node::String(arena, birth_date));
  const HttpReply reply = client_->Post("/Patient", sync::WriteOrdered(*patient));
  EXPECT_EQ(reply.status, 201) << reply.body << reply.error;
}

int HapiServer::Count(const std::string& query) {
  const std::string separator = query.find('?') == std::string::npos ? "?" : "&";
  const HttpReply reply =
      client_->Get("/" + query + separator + "_summary=count", {{"Cache-Control", "no-cache"}});
  Arena arena;
  const auto bundle = sync::ReadResource(reply.body, arena);
  EXPECT_TRUE(bundle.has_value()) << query << ": " << reply.status << reply.error;
  const fhir::Node* total = bundle ? (*bundle)->Find("total") : nullptr;
  return total == nullptr ? -1 : std::atoi(std::string(total->text).c_str());
}

void HapiServer::ForEach(const std::string& query, Arena& arena,
                         const std::function<void(fhir::Node&)>& visit) {
  const std::string separator = query.find('?') == std::string::npos ? "?" : "&";
  std::string path = "/" + query + separator + "_count=200";
  while (!path.empty()) {
    const HttpReply reply = client_->Get(path, {{"Cache-Control", "no-cache"}});
    const auto bundle = sync::ReadResource(reply.body, arena);
    ASSERT_TRUE(bundle.has_value()) << query << ": " << reply.status << reply.error;
    if (const fhir::Node* entries = (*bundle)->Find("entry")) {
      for (fhir::Node* entry : entries->items()) visit(*entry->Find("resource"));
    }
    path.clear();
    if (const fhir::Node* links = (*bundle)->Find("link")) {
      for (const fhir::Node* link : links->items()) {
        const std::string_view next = MemberText(*link, "url");
        if (MemberText(*link, "relation") == "next") path = next.substr(url_.size());
      }
    }
  }
}

ServerContent HapiServer::Content() {
  ServerContent content;
  for (const std::string& type : kTypes) {
    ForEach(type, *content.arena, [&](fhir::Node& resource) {
      content.resources[type + "/" + std::string(MemberText(resource, "id"))] = &resource;
    });
  }
  return content;
}

}  // namespace fhir_adapter::test
