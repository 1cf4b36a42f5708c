// What an auditor is shown of records that came in any order, twice, for other patients, through lost
// answers, unknown patients and restarts has every link that the test itself made or saw on the server. The
// list of links is the test's own and shares nothing with the program.
//
// FHIR_ADAPTER_TRACES (500; long.sh: 100,000) is how many histories.

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "app/trace_page.h"
#include "app/trace_selector.h"
#include "audit/checkpointer.h"
#include "delivery_rig.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::test {
namespace {

using app::TraceEvent;
using app::TracePage;
using testing::IsEmpty;

constexpr std::uint32_t kSeed = 20261127;
constexpr int kRecordsOfARun = 50;
constexpr int kPatients = 12;
constexpr int kLatePatients = 3;  // whom the server does not know at first
const std::string kHeldReason = "looked at both";

int Histories() {
  const char* count = std::getenv("FHIR_ADAPTER_TRACES");  // long.sh sets it
  return count == nullptr ? 500 : std::atoi(count);
}

struct Arrival {
  Record record;
  std::string receipt;
  std::string reason;  // of the correction, in the clinic's words
  int times = 1;
};

struct History {
  std::string id;
  std::vector<Arrival> arrivals;  // in the order in which they come; a number once
  int writes = 0;                 // requests that named it
  std::set<std::string> released;
};

// A version of a resource, as the server has it.
struct ServerVersion {
  std::string type;
  std::string id;
  std::string version;
};

class TracedRun {
 public:
  explicit TracedRun(std::uint32_t seed) : numbers_(seed), rig_(DeliveryRig::Direct{Behaviour()}) {
    for (int i = 0; i < kPatients; ++i) rig_.AddPatient(std::to_string(100 + i));
    for (int i = 0; i < kRecordsOfARun; ++i) histories_.push_back(MakeHistory(i));
    rig_.direct().fate = [this](const sync::FhirRequest& request) { return FateOf(request); };
  }

  void Play() {
    std::vector<std::pair<History*, Arrival*>> order;
    for (History& history : histories_) {
      for (Arrival& arrival : history.arrivals) order.emplace_back(&history, &arrival);
    }
    std::shuffle(order.begin(), order.end(), numbers_);
    for (auto& [history, arrival] : order) {
      arrival->receipt = rig_.Submit(arrival->record).value;
      for (int again = 1; again < arrival->times; ++again) rig_.Submit(arrival->record);
      if (Below(3) == 0) rig_.RunFor(Below(3'000'000));
      if (Below(100) == 0) rig_.Restart();
    }
    rig_.RunUntilQuiet();
    ReleaseTheHeld();
    rig_.RunUntilQuiet();
    Sign();
  }

  // Links that the trace lacks; `links` counts those that were looked for.
  std::vector<std::string> Missing(std::size_t& links) {
    for (const char* type : {"Procedure", "Observation", "Provenance"}) NoteVersions(type);
    std::vector<std::string> missing;
    for (const History& history : histories_) {
      const TracePage page = PageOf(history.id);
      const auto look = [&](bool is_there, const std::string& link) {
        ++links;
        if (!is_there) missing.push_back(history.id + ": " + link);
      };
      LookForArrivals(history, page, look);
      LookForWork(history, page, look);
      LookForVersions(history, page, look);
      LookForSelectors(history, page, look);
      LookForEntries(history, page, look);
    }
    return missing;
  }

  std::size_t faults() { return rig_.direct().faults(); }
  // For controls.
  std::function<void(TracePage&)> spoil;

 private:
  using Look = std::function<void(bool, const std::string&)>;

  static sandbox::Behaviour Behaviour() {
    sandbox::Behaviour behaviour;
    behaviour.same_content_keeps_version = false;  // each writing is a version
    return behaviour;
  }
  std::int64_t Below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(numbers_);
  }
  std::string AnyPatient() { return std::to_string(100 + Below(kPatients + kLatePatients)); }

  Fate FateOf(const sync::FhirRequest& request) {
    if (request.kind == sync::RequestKind::kWrite) {
      for (History& history : histories_) history.writes += Names(request.body, history.id) ? 1 : 0;
    }
    switch (Below(40)) {
      case 0:
      case 1:
      case 2:
        return Fate::kAnswerLost;
      case 3:
        return Fate::kNeverArrived;
      case 4:
        return Fate::kBusy;
      default:
        return Fate::kGood;
    }
  }
  static bool Names(const std::string& text, const std::string& id) {
    return text.find("\"clinic." + id + "\"") != std::string::npos ||
           text.find("\"clinic." + id + ".") != std::string::npos;
  }

  History MakeHistory(int number) {
    History history;
    history.id = "h" + std::to_string(100 + number);
    std::set<std::int64_t> revisions;
    const auto count = static_cast<std::size_t>(1 + Below(4));
    while (revisions.size() < count) revisions.insert(1 + Below(6));
    std::string mrn = AnyPatient();
    for (const std::int64_t revision : revisions) {
      if (Below(10) == 0) mrn = AnyPatient();
      history.arrivals.push_back(MakeArrival(history.id, revision, mrn));
    }
    std::shuffle(history.arrivals.begin(), history.arrivals.end(), numbers_);
    return history;
  }
  Arrival MakeArrival(const std::string& id, std::int64_t revision, const std::string& mrn) {
    Arrival arrival;
    Record& record = arrival.record;
    record.id = id;
    record.mrn = mrn;
    record.revision = revision;
    const bool is_voided = revision > 1 && Below(6) == 0;
    record.status = is_voided ? "voided" : revision == 1 ? "completed" : "corrected";
    record.parts = ScoredParts(std::to_string(revision));
    if (is_voided) {
      for (Part& part : record.parts) {
        const std::size_t at = part.members.find("\"status\":\"") + 10;
        part.members.replace(at, part.members.find('"', at) - at, "entered-in-error");
      }
    }
    arrival.reason = "reason " + std::to_string(revision) + " of " + id;
    record.bytes = R"({"recordId":")" + id + R"(","revision":)" + std::to_string(revision) +
                   R"(,"site":"clinic","status":")" + record.status +
                   R"(","recorded":"2026-03-01T12:00:00Z","patient":{"mrn":")" + mrn +
                   R"("},"correction":{"reason":")" + arrival.reason + "\"}}";
    arrival.times = Below(5) == 0 ? 2 : 1;
    return arrival;
  }

  // The patients become known, and a person releases what waited for them.
  void ReleaseTheHeld() {
    for (int i = 0; i < kLatePatients; ++i) rig_.AddPatient(std::to_string(100 + kPatients + i));
    for (History& history : histories_) {
      for (const Arrival& arrival : history.arrivals) {
        if (rig_.StateOf(arrival.record) != outbox::WorkState::kHeld) continue;
        ASSERT_TRUE(rig_.Release({arrival.receipt}, std::nullopt));
        history.released.insert(arrival.receipt);
      }
    }
  }

  void Sign() {
    auto key = audit::SigningKey::LoadOrMake(directory_.File("key"), "log");
    ASSERT_TRUE(key);
    key_ = key->verifier();
    outbox::SqliteBackend& backend = rig_.backend();
    audit::Checkpointer checkpointer({*backend.store, backend.log, backend.tree}, std::move(*key),
                                     audit::CheckpointFile(directory_.File("checkpoints")), std::nullopt);
    ASSERT_TRUE(checkpointer.Advance());
  }

  TracePage PageOf(const std::string& id) {
    outbox::SqliteBackend& backend = rig_.backend();
    auto page =
        storage::ReadValue<TracePage>(*backend.store, [&](storage::Snapshot& snapshot) -> Result<TracePage> {
          return app::MakeTracePage({snapshot, backend.trace, backend.log, backend.tree},
                                    outbox::SubjectKey("clinic", id), key_);
        });
    EXPECT_TRUE(page) << (page ? "" : ToString(page.error()));
    if (!page) return {};
    if (spoil) spoil(*page);
    return std::move(*page);
  }

  void NoteVersions(const std::string& type) {
    for (const std::string& resource : rig_.direct().All(type)) {
      Arena arena;
      const auto read = fhir::ReadJson(resource, arena);
      ASSERT_TRUE(read);
      const std::string id(MemberText(*read, "id"));
      const std::size_t count = rig_.direct().VersionsOf(type, id).size();
      for (const History& history : histories_) {
        if (!Names(resource, history.id)) continue;
        for (std::size_t version = 1; version <= count; ++version) {
          versions_[history.id].push_back({type, id, std::to_string(version)});
        }
      }
    }
  }

  static bool HasEvent(const TracePage& page, const std::string& event, std::int64_t revision) {
    return std::ranges::any_of(page.events, [&](const TraceEvent& one) {
      return one.event == event && one.revision == revision && !one.time.empty() && !one.actor.empty();
    });
  }

  // What came, how often, with which words; and what of it was corrected by what.
  void LookForArrivals(const History& history, const TracePage& page, const Look& look) {
    std::map<std::int64_t, const Arrival*> by_revision;
    for (const Arrival& arrival : history.arrivals) by_revision[arrival.record.revision] = &arrival;
    for (const auto& [revision, arrival] : by_revision) {
      const std::string name = "revision " + std::to_string(revision);
      const auto found =
          std::ranges::find(page.record.revisions, revision, &outbox::TracedRevision::revision);
      const bool is_there = found != page.record.revisions.end();
      look(is_there, name);
      if (!is_there) continue;
      look(found->receipt == arrival->receipt, name + ", its receipt");
      look(found->bytes == arrival->record.bytes, name + ", its words");
      look(found->patient.mrn == arrival->record.mrn, name + ", its patient");
      look(found->status == arrival->record.status, name + ", its status");
      look(found->commitment.size() == 64, name + ", its commitment");
      look(std::ranges::any_of(page.events,
                               [&](const TraceEvent& event) {
                                 return event.sequence == found->audit_sequence && event.event == "received";
                               }),
           name + ", the entry that received it");
      if (arrival->times > 1) look(HasEvent(page, "duplicate", revision), name + ", that it came again");
    }
    for (auto after = by_revision.begin(); after != by_revision.end(); ++after) {
      if (after == by_revision.begin()) continue;
      const std::int64_t from = std::prev(after)->first;
      look(std::ranges::any_of(page.corrections,
                               [&](const app::TraceCorrection& one) {
                                 return one.from == from && one.to == after->first &&
                                        one.reason == after->second->reason && !one.changes.empty();
                               }),
           "correction to revision " + std::to_string(after->first) + " with its reason and changes");
    }
  }

  // Through which map each revision went, what became of it, and who let it go on.
  void LookForWork(const History& history, const TracePage& page, const Look& look) {
    for (const Arrival& arrival : history.arrivals) {
      const std::int64_t revision = arrival.record.revision;
      const std::string name = "work of revision " + std::to_string(revision);
      const auto work = std::ranges::find_if(
          page.record.work, [&](const outbox::TracedWork& one) { return one.id.value == arrival.receipt; });
      look(work != page.record.work.end(), name);
      if (work == page.record.work.end()) continue;
      const outbox::WorkState state = rig_.StateOf(arrival.record);
      look(work->state == state, name + ", its state");
      // What a higher revision overtook may never have been mapped.
      if (state != outbox::WorkState::kSuperseded) {
        look(work->map_id == "test" && work->map_version == "1" &&
                 work->map_set_sha256 == std::string(64, '0'),
             name + ", its map");
        look(std::ranges::any_of(page.events,
                                 [&](const TraceEvent& event) {
                                   return event.event == "mapped" && event.revision == revision &&
                                          event.map == "test|1";
                                 }),
             name + ", when it was mapped");
      }
      look(HasEvent(page, std::string(outbox::Name(state)), revision), name + ", the entry of its end");
      if (!history.released.contains(arrival.receipt)) continue;
      look(HasEvent(page, "held", revision), name + ", that it was held");
      look(std::ranges::any_of(page.events,
                               [&](const TraceEvent& event) {
                                 return event.event == "released" && event.revision == revision &&
                                        event.actor.ends_with("nurse") && event.remark == kHeldReason;
                               }),
           name + ", who released it and why");
    }
    const auto attempts = std::ranges::count(page.events, "attempt", &TraceEvent::event);
    look(attempts >= history.writes,
         "an attempt for each of " + std::to_string(history.writes) + " requests");
  }

  // Every version that the server has was written by an entry of the record.
  void LookForVersions(const History& history, const TracePage& page, const Look& look) {
    std::set<std::string> traced;
    for (const app::TracedResource& resource : page.resources) {
      for (const std::size_t index : resource.versions) {
        const TraceEvent& event = page.events[index];
        traced.insert(event.type + "/" + event.id + "/_history/" + event.version);
      }
    }
    for (const ServerVersion& one : versions_[history.id]) {
      const std::string name = one.type + "/" + one.id + "/_history/" + one.version;
      look(traced.contains(name), name);
    }
    look(!versions_[history.id].empty(), "anything on the server");
  }

  // From each thing that an auditor may hold to the record.
  void LookForSelectors(const History& history, const TracePage& page, const Look& look) {
    using Kind = outbox::TraceSelectorKind;
    std::vector<outbox::TraceSelector> selectors = {{Kind::kRecord, "clinic", history.id},
                                                    {Kind::kRecordId, "", history.id}};
    for (const Arrival& arrival : history.arrivals) {
      selectors.push_back({Kind::kReceipt, "", arrival.receipt});
      selectors.push_back({Kind::kPatient, "", arrival.record.mrn});
    }
    for (const ServerVersion& one : versions_[history.id])
      selectors.push_back({Kind::kResource, one.type, one.id});
    for (const app::TracedResource& resource : page.resources) {
      selectors.push_back({Kind::kIdentifier, resource.key.system, resource.key.value});
    }
    outbox::SqliteBackend& backend = rig_.backend();
    for (const outbox::TraceSelector& selector : selectors) {
      const auto subjects = storage::ReadValue<std::vector<std::string>>(
          *backend.store,
          [&](storage::Snapshot& snapshot) { return backend.trace.Subjects(snapshot, selector, 1'000); });
      const bool is_there =
          subjects &&
          std::ranges::find(*subjects, outbox::SubjectKey("clinic", history.id)) != subjects->end();
      look(is_there, std::string(app::Name(selector.kind)) + " " + selector.first + " " + selector.second);
    }
  }

  // Every entry of the log that names the record is on the page, in order and proven.
  void LookForEntries(const History& history, const TracePage& page, const Look& look) {
    if (entries_.empty()) ReadEntries();
    std::int64_t before = 0;
    for (const TraceEvent& event : page.events) {
      look(event.sequence > before, "order of entry " + std::to_string(event.sequence));
      look(!event.proof.empty(), "proof of entry " + std::to_string(event.sequence));
      before = event.sequence;
    }
    for (const std::int64_t sequence : entries_[history.id]) {
      look(std::ranges::find(page.events, sequence, &TraceEvent::sequence) != page.events.end(),
           "entry " + std::to_string(sequence));
    }
  }
  void ReadEntries() {
    outbox::SqliteBackend& backend = rig_.backend();
    const auto read = backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
      ADAPTER_TRY(const audit::Sequence last, backend.log.Size(snapshot));
      return backend.log.ForEach(snapshot, 1, last, [&](audit::Sequence sequence, std::string_view bytes) {
        static constexpr std::string_view kMark = "\"record\":\"";
        const std::size_t at = bytes.find(kMark);
        if (at == std::string_view::npos) return true;
        const std::size_t begin = at + kMark.size();
        entries_[std::string(bytes.substr(begin, bytes.find('"', begin) - begin))].push_back(sequence);
        return true;
      });
    });
    ASSERT_TRUE(read);
  }

  std::mt19937 numbers_;
  TemporaryDirectory directory_;
  DeliveryRig rig_;
  std::vector<History> histories_;
  std::optional<audit::VerifierKey> key_;
  std::map<std::string, std::vector<ServerVersion>> versions_;  // by record
  std::map<std::string, std::vector<std::int64_t>> entries_;    // by record
};

TEST(TraceHistory, OfRandomHistories_HasEveryLink) {
  const int runs = (Histories() + kRecordsOfARun - 1) / kRecordsOfARun;
  std::size_t links = 0;
  std::size_t faults = 0;
  for (int run = 0; run < runs; ++run) {
    const std::uint32_t seed = kSeed + static_cast<std::uint32_t>(run);
    TracedRun traced(seed);
    traced.Play();
    ASSERT_THAT(traced.Missing(links), IsEmpty()) << "seed " << seed;
    faults += traced.faults();
  }
  std::cout << runs * kRecordsOfARun << " histories, " << faults << " faults, " << links
            << " links looked for, none missing\n";
  EXPECT_GT(faults, static_cast<std::size_t>(runs) * 5);
}

// A trace that lacks one thing of each kind is found to lack it.
TEST(TraceHistory, Control_ATraceWithoutALink_IsFound) {
  TracedRun traced(kSeed);
  traced.Play();
  const std::function<void(TracePage&)> spoilers[] = {
      [](TracePage& page) { page.record.revisions.pop_back(); },
      [](TracePage& page) { page.record.work.clear(); },
      [](TracePage& page) { page.corrections.clear(); },
      [](TracePage& page) { page.resources.front().versions.pop_back(); },
      [](TracePage& page) {
        std::erase_if(page.events, [](const TraceEvent& e) { return e.event == "mapped"; });
      },
      [](TracePage& page) {
        for (TraceEvent& event : page.events) event.remark.clear();
      },
      [](TracePage& page) { page.events.back().proof.clear(); },
      [](TracePage& page) {
        std::erase_if(page.events, [](const TraceEvent& e) { return e.event == "retry"; });
      },
  };
  for (const auto& spoiler : spoilers) {
    traced.spoil = [&](TracePage& page) {
      const std::vector<TraceEvent> events = page.events;
      spoiler(page);
      // The versions of resources are places in the list of events.
      for (app::TracedResource& resource : page.resources) {
        for (std::size_t& index : resource.versions) {
          const auto at = std::ranges::find(page.events, events[index].sequence, &TraceEvent::sequence);
          index = static_cast<std::size_t>(at - page.events.begin());
        }
      }
    };
    std::size_t links = 0;
    EXPECT_FALSE(traced.Missing(links).empty()) << "spoiler " << &spoiler - spoilers;
  }
}

}  // namespace
}  // namespace fhir_adapter::test
