#include "pipeline/message_receiver.h"

#include <memory>
#include <utility>

#include "core/digest.h"
#include "core/fault_point.h"

namespace fhir_adapter::pipeline {

// A message on its way: shared by its work and by what is done after it.
struct MessageReceiver::Passage {
  IncomingMessage message;
  Done done;
  MessageAnswer answer;
};

void MessageReceiver::Receive(IncomingMessage message, Done done) {
  const auto passage = std::make_shared<Passage>(Passage{std::move(message), std::move(done), {}});
  ports_.store.Submit(
      [this, passage](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_TRY(passage->answer, Take(transaction, passage->message));
        return {};
      },
      [this, passage](const Result<void>& stored) {
        if (!stored && Describe(stored.error().code).disposition == Disposition::kRejected) {
          return RefuseApart(passage, stored.error());
        }
        if (!stored) return passage->done(Fail(stored.error()));
        if (notify_ && passage->answer.outcome == MessageOutcome::kTaken) notify_();
        ADAPTER_FAULT_POINT("before-acknowledgement");
        passage->done(std::move(passage->answer));
      });
}

// What the store itself had against the content has undone what was stored of it.
void MessageReceiver::RefuseApart(const std::shared_ptr<Passage>& passage, const Error& error) {
  ports_.store.Submit(
      [this, passage, error](storage::Transaction& transaction) -> Result<void> {
        const std::string place = error.where.pointer.empty() ? "" : error.where.pointer + ": ";
        ADAPTER_TRY(passage->answer,
                    Refuse(transaction, passage->message, {{error.code, {}, place + error.message}}));
        return {};
      },
      [passage](const Result<void>& stored) {
        if (!stored) return passage->done(Fail(stored.error()));
        passage->done(std::move(passage->answer));
      });
}

Result<MessageAnswer> MessageReceiver::Take(storage::Transaction& transaction,
                                            const IncomingMessage& message) {
  outbox::ReceivedMessage kept;
  kept.source = message.source;
  kept.actor = message.actor;
  kept.sender = message.sender;
  kept.control_id = message.control_id;
  kept.sha256 = Sha256Hex(message.bytes);
  const TimeUs now = ports_.clock.Now();
  // A message without a usable number was refused before it came here as one that is taken.
  if (!message.control_id.empty()) {
    ADAPTER_TRY(const auto known, ports_.messages.Find(transaction, message.sender, message.control_id));
    if (known && known->sha256 == kept.sha256) {
      ADAPTER_CHECK(ports_.messages.NoteRepeated(transaction, kept, now));
      return MessageAnswer{MessageOutcome::kRepeated, known->acknowledgement};
    }
    if (known) {
      return Refuse(transaction, message,
                    {{Code::kRevisionConflict, Location{{}, 1, 0, "MSH-10"},
                      "another message of this sender was taken under this number"}});
    }
  }
  if (message.input.is_refused) return Refuse(transaction, message, message.input.issues);
  ADAPTER_TRY(const std::int64_t undelivered, ports_.queue.Undelivered(transaction));
  if (undelivered >= high_water_) return Fail(Code::kHighWater, "the queue has reached its high-water mark");
  if (message.input.record) {
    const Submission submission{message.source, {}, message.actor, {}, {}};
    ADAPTER_TRY(const RecordAnswer answer,
                ports_.records.Take(transaction, submission, *message.input.record));
    const bool is_taken =
        answer.outcome == RecordOutcome::kAccepted || answer.outcome == RecordOutcome::kKnown;
    if (!is_taken) {  // another content under its number, or erased
      return MessageAnswer{MessageOutcome::kRefused, message.acknowledge(answer.issues, false)};
    }
    kept.receipts = {answer.receipt};
  } else {
    ADAPTER_TRY(kept.receipts, TakeContent(transaction, message));
  }
  kept.bytes = message.bytes;
  kept.map_set_sha256 = message.map_set_sha256;
  kept.acknowledgement = message.acknowledge(message.input.issues, true);
  ADAPTER_CHECK(ports_.messages.Keep(transaction, kept, now));
  return MessageAnswer{MessageOutcome::kTaken, std::move(kept.acknowledgement)};
}

Result<std::vector<std::string>> MessageReceiver::TakeContent(storage::Transaction& transaction,
                                                              const IncomingMessage& message) {
  std::vector<std::string> receipts;
  for (const MessageObservation& one : message.input.observations) {
    PushRequest request;
    request.source = message.source;
    request.is_update = true;
    request.identifier = one.identity;
    request.observation = one.observation;
    ADAPTER_TRY(PushAnswer answer, ports_.observations.Take(transaction, request, message.actor));
    receipts.push_back(std::move(answer.version.receipt));
  }
  return receipts;
}

Result<MessageAnswer> MessageReceiver::Refuse(storage::Transaction& transaction,
                                              const IncomingMessage& message, const Issues& issues) {
  outbox::RejectedRecord rejected;
  rejected.source = message.source;
  rejected.actor = message.actor;
  rejected.bytes = message.bytes;
  rejected.issues = issues;
  if (message.input.record) {
    rejected.site = message.input.record->site;
    rejected.record_id = message.input.record->record_id;
    rejected.revision = message.input.record->revision;
  }
  ADAPTER_CHECK(ports_.inbox.Reject(transaction, rejected, ports_.clock.Now()));
  return MessageAnswer{MessageOutcome::kRefused, message.acknowledge(issues, false)};
}

}  // namespace fhir_adapter::pipeline
