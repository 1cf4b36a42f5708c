#include "mapped_records.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "support/process.h"
#include "support/temporary_directory.h"
#include "sync/resource_content.h"

namespace fhir_adapter::test {
namespace {

using fhir::MemberText;
using fhir::Node;

std::string OwnIdentifier(const Node& resource) {
  const Node* identifiers = resource.Find("identifier");
  if (identifiers == nullptr) return {};
  const auto of = [](const Node& identifier) -> std::string {
    if (MemberText(identifier, "system").find("/sid/it-") == std::string_view::npos) return {};
    return std::string(MemberText(identifier, "system")) + "|" + std::string(MemberText(identifier, "value"));
  };
  if (identifiers->is_object()) return of(*identifiers);
  for (const Node* identifier : identifiers->items()) {
    const std::string key = of(*identifier);
    if (!key.empty()) return key;
  }
  return {};
}

std::string PlaceOf(const Node& resource) {
  return std::string(MemberText(resource, "resourceType")) + "/" + std::string(MemberText(resource, "id"));
}

// The patient is compared by whether there is one: which one it is, the identifier of the record tells.
Node* Comparable(const Node& resource, const std::string& base_url,
                 const std::map<std::string, std::string>& places, Arena& arena) {
  Node* copy = fhir::Clone(resource, arena);
  sync::StripServerParts(*copy, base_url, arena);
  sync::RewriteReferences(
      *copy,
      [&](std::string_view reference) -> std::string {
        if (reference.starts_with("Patient?") || reference.starts_with("Patient/")) return "Patient";
        const auto found = places.find(std::string(reference));
        return found == places.end() ? std::string() : found->second;
      },
      arena);
  return copy;
}

// Which resources a write of a revision touched depends on what was there before; all the rest must agree.
bool ProvenancesAgree(Node& mapped, Node& server) {
  const Node* targets = server.Find("target");
  const bool has_targets = targets != nullptr && !targets->items().empty();
  mapped.Remove("target");
  server.Remove("target");
  return has_targets && fhir::SameContent(mapped, server);
}

}  // namespace

RecordText ReadRecordText(const std::string& json) {
  Arena arena;
  const auto read = fhir::ReadJson(json, arena, fhir::kRecordLimits);
  RecordText record;
  EXPECT_TRUE(read.has_value());
  if (!read) return record;
  record.json = fhir::ToJson(**read);
  record.id = MemberText(**read, "recordId");
  const Node* revision = (*read)->Find("revision");
  if (revision != nullptr) {
    std::from_chars(revision->text.data(), revision->text.data() + revision->text.size(), record.revision);
  }
  if (const Node* patient = (*read)->Find("patient")) {
    record.mrn = MemberText(*patient, "mrn");
    record.sex = MemberText(*patient, "sex");
    record.birth_date = MemberText(*patient, "birthDate");
  }
  return record;
}

std::vector<RecordText> RecordFixtures() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(FHIR_ADAPTER_SOURCE_DIR "/fixtures/records")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<RecordText> records;
  for (const auto& path : paths) records.push_back(ReadRecordText(ReadFile(path)));
  return records;
}

std::vector<RecordText> CohortRecords() {
  ProcessOptions options;
  options.arguments = {"python3", FHIR_ADAPTER_SOURCE_DIR "/fixtures/cohort/generate.py"};
  const ProcessResult generated = RunProcess(options);
  EXPECT_EQ(generated.exit_code, 0) << generated.standard_error;
  std::vector<RecordText> records;
  std::istringstream lines(generated.standard_output);
  for (std::string line; std::getline(lines, line);) records.push_back(ReadRecordText(line));
  return records;
}

std::string ToNdjson(const std::vector<RecordText>& records) {
  std::string text;
  for (const RecordText& record : records) text += record.json + "\n";
  return text;
}

std::vector<RecordText> LastRevisions(const std::vector<RecordText>& records) {
  std::vector<RecordText> last;
  for (const RecordText& record : records) {
    const bool has_higher = std::ranges::any_of(records, [&](const RecordText& other) {
      return other.id == record.id && other.revision > record.revision;
    });
    if (!has_higher) last.push_back(record);
  }
  return last;
}

MappedResources ReadMapped(const std::string& ndjson) {
  MappedResources mapped;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    const auto read = sync::ReadResource(line, *mapped.arena);
    EXPECT_TRUE(read.has_value());
    if (read) mapped.resources.push_back(*read);
  }
  return mapped;
}

std::vector<std::string> Differences(const MappedResources& mapped, const ServerContent& server,
                                     const std::string& base_url) {
  std::multimap<std::string, std::string> by_identifier;
  for (const auto& [place, resource] : server.resources) {
    const std::string key = OwnIdentifier(*resource);
    if (!key.empty()) by_identifier.emplace(key, place);
  }
  std::vector<std::string> differences;
  std::map<std::string, std::string> places;  // mapped Type/uuid → Type/id on the server
  for (const Node* resource : mapped.resources) {
    const std::string key = OwnIdentifier(*resource);
    const auto [first, last] = by_identifier.equal_range(key);
    const auto copies = key.empty() ? 1 : std::distance(first, last);
    if (copies != 1)
      differences.push_back(PlaceOf(*resource) + " is there " + std::to_string(copies) + " times");
    places[PlaceOf(*resource)] = key.empty() || copies == 0 ? PlaceOf(*resource) : first->second;
  }
  for (const Node* resource : mapped.resources) {
    const auto found = server.resources.find(places[PlaceOf(*resource)]);
    if (found == server.resources.end()) {
      differences.push_back(PlaceOf(*resource) + " is missing");
      continue;
    }
    Arena arena;
    Node* ours = Comparable(*resource, base_url, places, arena);
    Node* theirs = Comparable(*found->second, base_url, {}, arena);
    const bool same = MemberText(*ours, "resourceType") == "Provenance"
                          ? ProvenancesAgree(*ours, *theirs)
                          : sync::SameButForCorrection(*ours, *theirs);
    if (!same)
      differences.push_back(PlaceOf(*resource) + " differs:\n  " + fhir::ToJson(*ours) + "\n  " +
                            fhir::ToJson(*theirs));
  }
  return differences;
}

}  // namespace fhir_adapter::test
