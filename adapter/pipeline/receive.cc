#include "pipeline/receive.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/fault_point.h"
#include "core/limits.h"

namespace fhir_adapter::pipeline {
namespace {

std::vector<outbox::Reason> ToReasons(const Issues& issues) {
  std::vector<outbox::Reason> reasons;
  for (const Issue& issue : issues) {
    reasons.push_back(outbox::Reason{issue.code, issue.where.pointer, issue.message});
  }
  return reasons;
}

Issues NotesOf(const Issues& issues) {
  Issues notes;
  std::copy_if(issues.begin(), issues.end(), std::back_inserter(notes),
               [](const Issue& issue) { return issue.disposition() == Disposition::kNote; });
  return notes;
}

RecordAnswer AnswerFor(const InputRecord& record) {
  RecordAnswer answer;
  answer.site = record.site;
  answer.record_id = record.record_id;
  answer.revision = record.revision;
  return answer;
}

Result<RecordAnswer> Refuse(outbox::Inbox& inbox, storage::Transaction& transaction,
                            const Submission& submission, const InputRecord& record, TimeUs now) {
  RecordAnswer answer = AnswerFor(record);
  answer.outcome = RecordOutcome::kRejected;
  answer.issues = record.issues;
  ADAPTER_TRY(
      answer.receipt,
      inbox.Reject(transaction,
                   outbox::RejectedRecord{submission.source, submission.actor, record.site, record.record_id,
                                          record.revision, record.bytes, record.issues},
                   now));
  return answer;
}

Result<RecordAnswer> TakeIn(outbox::Inbox& inbox, storage::Transaction& transaction,
                            const Submission& submission, const InputRecord& record, TimeUs now) {
  outbox::NewRecord accepted;
  accepted.source = submission.source;
  accepted.map = submission.map;
  accepted.actor = submission.actor;
  accepted.site = record.site;
  accepted.record_id = record.record_id;
  accepted.revision = record.revision;
  accepted.status = record.status;
  accepted.mrn = record.mrn;
  accepted.bytes = record.bytes;
  accepted.content_sha256 = record.content_sha256;
  accepted.notes = ToReasons(NotesOf(record.issues));
  ADAPTER_TRY(const outbox::Accepted stored, inbox.Accept(transaction, accepted, now));
  RecordAnswer answer = AnswerFor(record);
  answer.receipt = stored.receipt;
  switch (stored.outcome) {
    case outbox::AcceptOutcome::kNew:
      answer.issues = NotesOf(record.issues);
      break;
    case outbox::AcceptOutcome::kKnown:
      answer.outcome = RecordOutcome::kKnown;
      break;
    case outbox::AcceptOutcome::kConflict:
      answer.outcome = RecordOutcome::kConflict;
      answer.issues.push_back(
          Issue{Code::kRevisionConflict, {}, "this id and revision is stored with other content"});
      break;
    case outbox::AcceptOutcome::kErased:
      answer.outcome = RecordOutcome::kRejected;
      answer.issues.push_back(Issue{Code::kErased, Location{{}, 0, 0, "/recordId"}, stored.message});
      break;
  }
  return answer;
}

// A submission on its way: shared by its pieces of work and by what is done after the last of them.
struct Passage {
  Submission submission;
  ReceiveAnswer answer;  // each piece fills in its own records

  std::mutex mutex;  // guards what follows: a piece that is refused is told on another thread than the others
  std::size_t pieces_left = 0;
  std::optional<Error> failure;  // the first
};

bool HasNew(const ReceiveAnswer& answer) {
  return std::any_of(answer.records.begin(), answer.records.end(),
                     [](const RecordAnswer& record) { return record.outcome == RecordOutcome::kAccepted; });
}

}  // namespace

int ReceiveAnswer::http_status() const {
  const auto count = [this](RecordOutcome outcome) {
    return std::count_if(records.begin(), records.end(),
                         [outcome](const RecordAnswer& record) { return record.outcome == outcome; });
  };
  if (count(RecordOutcome::kAccepted) > 0) return 202;
  if (count(RecordOutcome::kKnown) > 0) return 200;
  if (count(RecordOutcome::kConflict) > 0) return 409;
  if (records.size() != 1) return 422;
  for (const Issue& issue : records.front().issues) {
    if (issue.disposition() == Disposition::kRejected) return Describe(issue.code).http_status;
  }
  return 422;
}

const char* ReceiveAnswer::hl7_acknowledgement() const {
  const bool is_stored = std::all_of(records.begin(), records.end(), [](const RecordAnswer& record) {
    return record.outcome == RecordOutcome::kAccepted || record.outcome == RecordOutcome::kKnown;
  });
  return is_stored ? "AA" : "AE";
}

Receiver::Receiver(storage::Store& store, outbox::Inbox& inbox, outbox::QueueReader& queue, Clock& clock,
                   Settings settings)
    : store_(store), inbox_(inbox), queue_(queue), clock_(clock), settings_(std::move(settings)) {}

void Receiver::CheckSites(Submission& submission) const {
  if (settings_.sites.empty()) return;
  for (InputRecord& record : submission.records) {
    if (Gravest(record.issues) == Disposition::kRejected) continue;
    const auto& sites = settings_.sites;
    if (std::find(sites.begin(), sites.end(), record.site) != sites.end()) continue;
    record.issues.insert(record.issues.begin(), Issue{Code::kWrongSite, Location{{}, 0, 0, "/site"},
                                                      "the site is not accepted here"});
  }
}

Result<void> Receiver::CheckHighWater(storage::Transaction& transaction) {
  ADAPTER_TRY(const std::int64_t undelivered, queue_.Undelivered(transaction));
  if (undelivered >= settings_.high_water) {
    return Fail(Code::kHighWater, "the queue has reached its high-water mark");
  }
  return {};
}

void Receiver::Receive(Submission submission, Done done) {
  CheckSites(submission);
  // Shared: std::function copies what it holds.
  auto passage = std::make_shared<Passage>();
  passage->submission = std::move(submission);
  const std::size_t records = passage->submission.records.size();
  passage->answer.records.resize(records);
  const std::size_t pieces =
      std::max<std::size_t>(1, (records + limits::kAcceptRecordsMax - 1) / limits::kAcceptRecordsMax);
  passage->pieces_left = pieces;
  const auto shared_done = std::make_shared<Done>(std::move(done));
  // What one savepoint has changed stays in memory until it ends, so a large submission goes in by pieces.
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    const std::size_t begin = piece * limits::kAcceptRecordsMax;
    const std::size_t end = std::min(records, begin + limits::kAcceptRecordsMax);
    store_.Submit(
        [this, passage, begin, end](storage::Transaction& transaction) {
          return TakePiece(transaction, passage->submission, begin, end, passage->answer);
        },
        [this, passage, shared_done](const Result<void>& outcome) {
          {
            const std::scoped_lock lock(passage->mutex);
            if (!outcome && !passage->failure) passage->failure = outcome.error();
            if (--passage->pieces_left > 0) return;
          }
          Answer(std::move(passage->answer), passage->failure, *shared_done);
        });
  }
}

Result<void> Receiver::TakePiece(storage::Transaction& transaction, const Submission& submission,
                                 std::size_t begin, std::size_t end, ReceiveAnswer& answer) {
  ADAPTER_CHECK(CheckHighWater(transaction));
  for (std::size_t i = begin; i < end; ++i) {
    ADAPTER_TRY(answer.records[i], Take(transaction, submission, submission.records[i]));
  }
  const bool is_last = end == submission.records.size();
  return is_last && submission.beside ? submission.beside(transaction) : Result<void>();
}

Result<RecordAnswer> Receiver::Take(storage::Transaction& transaction, const Submission& submission,
                                    const InputRecord& record) {
  const TimeUs now = clock_.Now();
  if (Gravest(record.issues) == Disposition::kRejected) {
    return Refuse(inbox_, transaction, submission, record, now);
  }
  return TakeIn(inbox_, transaction, submission, record, now);
}

void Receiver::Answer(ReceiveAnswer answer, const std::optional<Error>& failure, const Done& done) {
  if (HasNew(answer) && notify_) notify_();
  if (failure) {
    done(Fail(*failure));
    return;
  }
  ADAPTER_FAULT_POINT("before-acknowledgement");
  done(std::move(answer));
}

Result<ReceiveAnswer> Receiver::ReceiveNow(Submission submission) {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<Result<ReceiveAnswer>> outcome;
  Receive(std::move(submission), [&](Result<ReceiveAnswer> answer) {
    const std::scoped_lock lock(mutex);
    outcome.emplace(std::move(answer));
    finished.notify_one();
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return outcome.has_value(); });
  return std::move(*outcome);
}

}  // namespace fhir_adapter::pipeline
