// ServerLookup: asks the server what it holds of ours: by identifier, by id where there is none, and which
// revisions of a record it has seen.
//
// One lookup at a time; `done` is called on the thread of the client's answers. Destroying it while a request
// is under way is a defect of the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fhir/node.h"
#include "outbox/delivery_plan.h"
#include "sync/fhir_client.h"
#include "sync/patient_matcher.h"
#include "sync/response_classifier.h"

namespace fhir_adapter::sync {

struct Wanted {
  std::size_t entry = 0;  // the caller's own number
  outbox::ResourceKey key;
  std::string server_id;  // empty: find it by its identifier
  // Of a type that R4 does not find by identifier and without server_id: what to search it by, "subject",
  // "target" or "entity" and one or more "Type/id". A Provenance or AuditEvent is known by the tag with its
  // key.
  std::string parameter{};
  std::vector<std::string> references{};
};

struct Observed {
  std::size_t entry = 0;
  std::string server_id;
  std::string version_id;
  std::string json;  // without id, text and meta (but tags); see StripServerParts
};

struct LookupResult {
  Classification classification;  // kSucceeded, or why the server could not be asked
  FhirAnswer answer;              // when it failed
  std::vector<Observed> found;    // what is not among them is not there
  std::vector<Observed> further;  // more resources that carry an identifier that one of `found` carries
  bool has_duplicates() const { return !further.empty(); }
  std::int64_t newest_revision = 0;
};

class ServerLookup {
 public:
  using Done = std::function<void(LookupResult)>;

  explicit ServerLookup(FhirClient& client) : client_(client) {}

  void Find(std::vector<Wanted> wanted, RequestTrace trace, Done done);

  // The highest n for which a Provenance with one of `targets` ("Type/id") names `{record}.{n}` in
  // `record_system` as its source; 0 when there is none. Reads every page below the base; an answer that
  // cannot be read to its end, or has more than kRevisionPagesMax pages, is none (kQuarantine,
  // kServerAnswer).
  void FindNewestRevision(std::vector<std::string> targets, std::string record_system, std::string record,
                          RequestTrace trace, Done done);

 private:
  struct Query {
    enum class Kind : std::uint8_t {
      kRead,
      kIdentifiers,
      kReferences,  // every page
      kRevisions,   // every page of Provenances
    };
    std::string path;
    std::vector<std::size_t> wanted;  // indices; empty for kRevisions
    Kind kind = Kind::kIdentifiers;
  };

  void AddReferenceQueries(std::size_t i, std::vector<Query>& queries) const;
  void Begin(std::vector<Query> queries, RequestTrace trace, Done done);
  void SendNext();
  void Take(FhirAnswer answer);
  void TakeNextPage(const Query& query, const fhir::Node& bundle);
  void TakeResource(const Query& query, fhir::Node& resource);
  void TakeProvenance(const fhir::Node& provenance);
  void Finish();

  FhirClient& client_;
  std::vector<Wanted> wanted_;
  std::string record_system_;
  std::string record_;
  std::vector<Query> queries_;
  std::size_t next_ = 0;
  std::size_t pages_ = 0;  // followed in this lookup
  RequestTrace trace_;
  Done done_;
  LookupResult result_;
};

}  // namespace fhir_adapter::sync
