// Transactions and batches. FHIR R4 http 3.1.0.11.
//
// A transaction is all or nothing, in the order DELETE, POST, PUT, GET, and answers in the order of the
// request. A batch is a number of requests that happen to travel together. One thread at a time; both begin
// and end transactions of the store themselves.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sandbox/behaviour.h"
#include "sandbox/interaction.h"
#include "sandbox/read_interaction.h"
#include "sandbox/resource_store.h"
#include "sandbox/write_interaction.h"

namespace fhir_adapter::sandbox {

// A request of its own, or an entry of a batch: in one transaction of the store.
Refusable<InteractionResult> RunAlone(ResourceStore& store, ResourceReader& reader, ResourceWriter& writer,
                                      const Interaction& interaction);

class BundleRunner {
 public:
  BundleRunner(ResourceStore& store, const Behaviour& behaviour, ResourceReader& reader,
               ResourceWriter& writer)
      : store_(store), behaviour_(behaviour), reader_(reader), writer_(writer) {}

  // The response Bundle. `returns_representation`: Prefer: return=representation.
  Refusable<std::string> Run(fhir::Node& bundle, Arena& arena, bool returns_representation);

 private:
  struct Entry {
    Interaction interaction;
    std::string full_url;
    WritePlan plan;
    std::vector<SearchEntry> search_entries;  // of what is about to be written
    bool is_dropped = false;                  // the server forgets it (Behaviour)
    std::size_t same_as = SIZE_MAX;           // the earlier entry that creates what this one finds
    InteractionResult result;
  };

  Refusable<std::vector<Entry>> ReadEntries(fhir::Node& bundle, Arena& arena, bool in_transaction);
  MaybeRefusal ReadRequest(const fhir::Node& node, std::size_t index, Arena& arena, Entry& entry);
  Refusable<std::string> RunTransaction(std::vector<Entry>& entries, bool returns_representation);
  Refusable<std::string> RunBatch(std::vector<Entry>& entries, bool returns_representation);
  MaybeRefusal PlanAll(std::vector<Entry>& entries);
  MaybeRefusal CheckOverlap(std::vector<Entry>& entries);
  MaybeRefusal CheckCriteriaOverlap(std::vector<Entry>& entries);
  MaybeRefusal ResolveReferences(std::vector<Entry>& entries);
  MaybeRefusal ResolveReference(const std::vector<Entry>& entries,
                                const std::map<std::string, std::string>& by_full_url, const Entry& entry,
                                fhir::Node& reference);
  MaybeRefusal ApplyAll(std::vector<Entry>& entries);
  std::string ResponseEntry(const Entry& entry, bool returns_representation) const;

  ResourceStore& store_;
  const Behaviour& behaviour_;
  ResourceReader& reader_;
  ResourceWriter& writer_;
};

}  // namespace fhir_adapter::sandbox
