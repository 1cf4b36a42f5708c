// Reconciler: compares what the ledger says is on the server with what is there. Changes neither.
//
//   first the ledger, some records at a time: missing · changed by others · carried by two resources
//   then the server, each type that we write: ours, and not in the ledger (orphaned)
//
// One page a call; the progress is a value that can be kept and gone on with, so that no finished page is
// read again. A difference is reported when it is still there at a second look a little later: what is being
// sent meanwhile is not a difference. Blocking; for one thread that is not the client's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/result.h"
#include "outbox/outbox.h"
#include "outbox/queue_reader.h"
#include "sync/ledger_comparison.h"
#include "sync/paced_client.h"
#include "sync/server_lookup.h"

namespace fhir_adapter::sync {

enum class DifferenceKind : std::uint8_t { kMissing, kChanged, kDuplicate, kOrphaned };
std::string_view Name(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::kMissing;
  outbox::ResourceKey key;
  std::string url;                 // of the resource spoken of, "Type/id"
  std::vector<std::string> paths;  // changed: which elements
  std::string subject_key;         // empty for an orphan

  bool operator==(const Difference&) const = default;
};

struct ReconcileSettings {
  std::string endpoint;  // names the server in the ledger
  std::string canonical_base;
  std::vector<std::string> sites;  // whose resources count as ours
  std::string patient_identifier_system;
  std::string mrn;              // only this patient; empty: all
  std::optional<TimeUs> since;  // only records of which something came in since then
  // What is newer on the server is wanted too (after a restore).
  bool wants_newer = false;
  std::int64_t second_look_us = 1'000'000;
  int pages_max = limits::kReconcilePagesMax;
};

// Where it stands. A value to be kept between runs.
struct ReconcileProgress {
  enum class Phase : std::uint8_t { kLedger, kServer, kDone };
  Phase phase = Phase::kLedger;
  std::string after;           // the last record that was compared
  std::size_t type = 0;        // of the server's types
  std::string next;            // the next page of that type; empty: its first
  int pages = 0;               // of that type
  std::int64_t resources = 0;  // looked at so far
};

struct ReconcilePage {
  std::vector<Difference> differences;
  std::vector<outbox::Adoption> newer;
};

class Reconciler {
 public:
  using Sleep = PacedClient::Sleep;
  Reconciler(PacedClient& client, storage::Store& store, outbox::QueueReader& queue, Clock& clock,
             Sleep sleep, ReconcileSettings settings);

  // The next page; moves `progress` on. Errors: those of the store, and of the server (kUnreachable, …): then
  // `progress` stays where it is.
  Result<ReconcilePage> Next(ReconcileProgress& progress);

 private:
  Result<ReconcilePage> NextOfLedger(ReconcileProgress& progress);
  Result<ReconcilePage> NextOfServer(ReconcileProgress& progress);
  Result<std::vector<Difference>> Compare(const std::vector<outbox::LedgerSubject>& subjects,
                                          ReconcilePage* newer);
  Result<std::vector<Difference>> CompareAgain(const std::vector<Difference>& first);
  Result<void> CompareSubject(const outbox::LedgerSubject& subject, const LookupResult& by_identifier,
                              std::size_t first_entry, std::vector<Difference>& differences,
                              ReconcilePage* newer);
  Result<void> LookDirectly(const outbox::LedgerSubject& subject,
                            const std::vector<const outbox::LedgerRow*>& rows,
                            std::vector<Difference>& differences);
  Result<void> FindOrphanedProvenances(const std::vector<outbox::LedgerSubject>& subjects,
                                       std::vector<Difference>& differences);
  Result<std::vector<std::string>> PathsOf(const outbox::LedgerSubject& subject, const outbox::LedgerRow& row,
                                           const Observed& observed);
  Result<void> AddNewer(const outbox::LedgerSubject& subject, std::vector<outbox::Adoption::Version> versions,
                        ReconcilePage& page);
  Result<LookupResult> Find(std::vector<Wanted> wanted);
  Result<FhirAnswer> Search(const std::string& path);
  Result<std::string> FirstPage(std::size_t type);
  bool IsOurs(std::string_view value) const;

  PacedClient& client_;
  storage::Store& store_;
  outbox::QueueReader& queue_;
  const Sleep sleep_;
  const ReconcileSettings settings_;
  LedgerComparison comparison_;
};

}  // namespace fhir_adapter::sync
