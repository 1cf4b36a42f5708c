#include "sync/live_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using outbox::LedgerRow;
using outbox::LedgerSubject;

LiveResource Unasked(const LedgerRow& row) {
  LiveResource live;
  live.key = row.key;
  live.url = row.key.type + "/" + row.server_id;
  live.delivered_version = row.version_id;
  return live;
}

}  // namespace

std::string_view Name(LiveState state) {
  constexpr std::array<std::string_view, 9> kNames = {
      "as-delivered", "same-content", "changed-by-others",  "stored-otherwise", "not-there",
      "removed",      "refused",      "nothing-to-compare", "not-asked"};
  return kNames[static_cast<std::size_t>(state)];
}

bool IsDifference(LiveState state) {
  switch (state) {
    case LiveState::kChangedByOthers:
    case LiveState::kStoredOtherwise:
    case LiveState::kNotThere:
    case LiveState::kRemoved:
    case LiveState::kRefused:
      return true;
    case LiveState::kAsDelivered:
    case LiveState::kSameContent:
    case LiveState::kNothingToCompare:
    case LiveState::kNotAsked:
      break;
  }
  return false;
}

LiveReader::LiveReader(PacedClient& client, storage::Store& store, outbox::QueueReader& queue, Clock& clock,
                       Sleep sleep, LiveReaderSettings settings)
    : client_(client),
      store_(store),
      queue_(queue),
      sleep_(std::move(sleep)),
      settings_(std::move(settings)),
      comparison_(client, store, queue, clock, {settings_.endpoint, settings_.patient_identifier_system}) {}

Result<LedgerSubject> LiveReader::Load(const std::string& subject_key) {
  return storage::ReadValue<LedgerSubject>(store_, [&](storage::Snapshot& snapshot) {
    return queue_.LedgerSubjectOf(snapshot, settings_.endpoint, subject_key);
  });
}

Result<void> LiveReader::Compare(const LedgerSubject& subject, const LedgerRow& row, fhir::Node& theirs,
                                 LiveResource& live) {
  Arena arena;
  StripServerParts(theirs, client_.base_url(), arena);
  ADAPTER_TRY(const ComparedResources compared,
              comparison_.Prepare(subject, row, WriteOrdered(theirs), arena));
  if (compared.ours == nullptr) {
    live.state = LiveState::kNothingToCompare;
    return {};
  }
  live.changes = fhir::ElementDifferences(*compared.ours, *compared.theirs);
  // A server without versions does not say who wrote what it holds.
  const bool is_our_version = !live.version.empty() && live.version == row.version_id;
  if (live.changes.empty()) {
    live.state = is_our_version || live.version.empty() ? LiveState::kAsDelivered : LiveState::kSameContent;
  } else {
    live.state = is_our_version ? LiveState::kStoredOtherwise : LiveState::kChangedByOthers;
  }
  return {};
}

Result<LiveResource> LiveReader::LookAt(const LedgerSubject& subject, const LedgerRow& row) {
  LiveResource live = Unasked(row);
  FhirRequest request;
  request.kind = RequestKind::kLookup;
  request.path = live.url;
  const FhirAnswer answer = client_.Ask(std::move(request));
  live.status = answer.status;
  Arena arena;
  const auto theirs = ReadResource(answer.body, arena);
  AnswerFacts facts;
  facts.kind = RequestKind::kLookup;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  facts.body_is_readable = theirs && MemberText(**theirs, "resourceType") == row.key.type;
  if (answer.status == 403) {  // one type may be closed to us, and others open
    live.state = LiveState::kRefused;
    return live;
  }
  const Classification classification = Classify(facts);
  switch (classification.verdict) {
    case Verdict::kSucceeded:
      break;
    case Verdict::kAbsent:
      live.state = answer.status == 410 ? LiveState::kRemoved : LiveState::kNotThere;
      return live;
    case Verdict::kQuarantine:
      live.state = LiveState::kRefused;
      return live;
    default:
      return CannotAsk(classification, answer.status);
  }
  if (const fhir::Node* meta = (*theirs)->Find("meta")) {
    live.version = MemberText(*meta, "versionId");
    live.last_updated = MemberText(*meta, "lastUpdated");
  }
  ADAPTER_CHECK(Compare(subject, row, **theirs, live));
  return live;
}

Result<LiveRecord> LiveReader::LookAgain(const std::string& subject_key, LiveRecord first) {
  sleep_(settings_.second_look_us);
  ADAPTER_TRY(const LedgerSubject subject, Load(subject_key));
  for (LiveResource& live : first.resources) {
    const auto row = std::ranges::find(subject.rows, live.key, &LedgerRow::key);
    if (!IsDifference(live.state) || row == subject.rows.end()) continue;
    auto again = LookAt(subject, *row);
    if (!again) {
      first.failure = again.error();
      return first;
    }
    live = std::move(*again);
  }
  return first;
}

Result<LiveRecord> LiveReader::Look(const std::string& subject_key) {
  ADAPTER_TRY(const LedgerSubject subject, Load(subject_key));
  LiveRecord record;
  for (const LedgerRow& row : subject.rows) {
    if (record.failure) {
      record.resources.push_back(Unasked(row));
      continue;
    }
    auto live = LookAt(subject, row);
    if (!live) record.failure = live.error();
    record.resources.push_back(live ? std::move(*live) : Unasked(row));
  }
  const bool differs = std::ranges::any_of(record.resources, IsDifference, &LiveResource::state);
  return differs && !record.failure ? LookAgain(subject_key, std::move(record)) : record;
}

}  // namespace fhir_adapter::sync
