// What `map` makes of the fixtures, and whether the server holds the same.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "hapi_server.h"

namespace fhir_adapter::test {

// A record as text, with what the test has to know of it.
struct RecordText {
  std::string json;  // one line
  std::string id;
  std::int64_t revision = 1;
  std::string mrn;
  std::string sex;
  std::string birth_date;
};

RecordText ReadRecordText(const std::string& json);
// fixtures/records, in the order of their names, and the cohort in the order of time.
std::vector<RecordText> RecordFixtures();
std::vector<RecordText> CohortRecords();
// The records as NDJSON.
std::string ToNdjson(const std::vector<RecordText>& records);
// The last revision of each record.
std::vector<RecordText> LastRevisions(const std::vector<RecordText>& records);

struct MappedResources {
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();  // shared: copies share the trees
  std::vector<fhir::Node*> resources;                        // lines of `map --format ndjson`
};
MappedResources ReadMapped(const std::string& ndjson);

// One line for each mapped resource that is missing, doubled or different on the server, after id, meta and
// text are removed and references are resolved. An Observation may stand there as corrected.
std::vector<std::string> Differences(const MappedResources& mapped, const ServerContent& server,
                                     const std::string& base_url);

}  // namespace fhir_adapter::test
