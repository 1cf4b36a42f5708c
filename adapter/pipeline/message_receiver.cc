#include "pipeline/message_receiver.h"

#include <memory>
#include <optional>
#include <utility>

#include "core/digest.h"
#include "core/fault_point.h"

namespace fhir_adapter::pipeline {

// A message on its way: shared by its work and by what is done after it.
struct MessageReceiver::Passage {
  IncomingMessage message;
  Done done;
  outbox::ReceivedMessage kept;
  std::optional<MessageInput> input;  // nothing: it came again
  MessageAnswer answer;
};

void MessageReceiver::Receive(IncomingMessage message, Done done) {
  const auto passage = std::make_shared<Passage>();
  passage->message = std::move(message);
  passage->done = std::move(done);
  outbox::ReceivedMessage& kept = passage->kept;
  kept.source = passage->message.source;
  kept.actor = passage->message.actor;
  kept.sender = passage->message.sender;
  kept.control_id = passage->message.control_id;
  kept.sha256 = Sha256Hex(passage->message.bytes);
  const auto came_before = CameBefore(*passage);
  if (!came_before) return passage->done(Fail(came_before.error()));
  if (!*came_before) passage->input = passage->message.read();
  ports_.store.Submit(
      [this, passage](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_TRY(passage->answer, Take(transaction, *passage));
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

// Mapping takes long, and a sender that loses our answers sends the same again and again.
Result<bool> MessageReceiver::CameBefore(const Passage& passage) {
  if (passage.kept.control_id.empty()) return false;
  ADAPTER_TRY(
      const auto known,
      storage::ReadValue<std::optional<outbox::KnownMessage>>(ports_.store, [&](storage::Snapshot& snapshot) {
        return ports_.messages.Find(snapshot, passage.kept.sender, passage.kept.control_id);
      }));
  return known && known->sha256 == passage.kept.sha256;
}

// What the store itself had against the content has undone what was stored of it.
void MessageReceiver::RefuseApart(const std::shared_ptr<Passage>& passage, const Error& error) {
  ports_.store.Submit(
      [this, passage, error](storage::Transaction& transaction) -> Result<void> {
        const std::string place = error.where.pointer.empty() ? "" : error.where.pointer + ": ";
        ADAPTER_TRY(passage->answer,
                    Refuse(transaction, *passage, {{error.code, {}, place + error.message}}));
        return {};
      },
      [passage](const Result<void>& stored) {
        if (!stored) return passage->done(Fail(stored.error()));
        passage->done(std::move(passage->answer));
      });
}

Result<MessageAnswer> MessageReceiver::Take(storage::Transaction& transaction, const Passage& passage) {
  const TimeUs now = ports_.clock.Now();
  const outbox::ReceivedMessage& kept = passage.kept;
  // A message without a usable number was refused before it came here as one that is taken.
  if (!kept.control_id.empty()) {
    ADAPTER_TRY(const auto known, ports_.messages.Find(transaction, kept.sender, kept.control_id));
    if (known && known->sha256 == kept.sha256) {
      ADAPTER_CHECK(ports_.messages.NoteRepeated(transaction, *known, kept, now));
      return MessageAnswer{MessageOutcome::kRepeated, known->acknowledgement};
    }
    if (known) {
      return Refuse(transaction, passage,
                    {{Code::kRevisionConflict, Location{{}, 1, 0, "MSH-10"},
                      "another message of this sender was taken under this number"}});
    }
  }
  if (!passage.input) return Fail(Code::kNotReady, "the message was erased meanwhile");
  if (passage.input->is_refused) return Refuse(transaction, passage, passage.input->issues);
  ADAPTER_TRY(const std::int64_t undelivered, ports_.queue.Undelivered(transaction));
  if (undelivered >= high_water_) return Fail(Code::kHighWater, "the queue has reached its high-water mark");
  return TakeNew(transaction, passage, now);
}

Result<MessageAnswer> MessageReceiver::TakeNew(storage::Transaction& transaction, const Passage& passage,
                                               TimeUs now) {
  const IncomingMessage& message = passage.message;
  outbox::ReceivedMessage kept = passage.kept;
  if (passage.input->record) {
    const Submission submission{message.source, {}, message.actor, {}, {}};
    ADAPTER_TRY(const RecordAnswer answer,
                ports_.records.Take(transaction, submission, *passage.input->record));
    const bool is_taken =
        answer.outcome == RecordOutcome::kAccepted || answer.outcome == RecordOutcome::kKnown;
    if (!is_taken) {  // another content under its number, or erased
      return MessageAnswer{MessageOutcome::kRefused, message.acknowledge(answer.issues, false)};
    }
    kept.receipts = {answer.receipt};
  } else {
    ADAPTER_TRY(kept.receipts, TakeContent(transaction, passage));
  }
  kept.bytes = message.bytes;
  kept.map_set_sha256 = message.map_set_sha256;
  kept.acknowledgement = message.acknowledge(passage.input->issues, true);
  ADAPTER_CHECK(ports_.messages.Keep(transaction, kept, now));
  return MessageAnswer{MessageOutcome::kTaken, std::move(kept.acknowledgement)};
}

Result<std::vector<std::string>> MessageReceiver::TakeContent(storage::Transaction& transaction,
                                                              const Passage& passage) {
  std::vector<std::string> receipts;
  for (const MessageObservation& one : passage.input->observations) {
    PushRequest request;
    request.source = passage.message.source;
    request.is_update = one.identity.has_value();
    request.identifier = one.identity;
    request.observation = one.observation;
    ADAPTER_TRY(PushAnswer answer, ports_.observations.Take(transaction, request, passage.message.actor));
    receipts.push_back(std::move(answer.version.receipt));
  }
  return receipts;
}

Result<MessageAnswer> MessageReceiver::Refuse(storage::Transaction& transaction, const Passage& passage,
                                              const Issues& issues) {
  const IncomingMessage& message = passage.message;
  outbox::RejectedRecord rejected;
  rejected.source = message.source;
  rejected.actor = message.actor;
  rejected.bytes = message.bytes;
  rejected.issues = issues;
  if (passage.input && passage.input->record) {
    rejected.site = passage.input->record->site;
    rejected.record_id = passage.input->record->record_id;
    rejected.revision = passage.input->record->revision;
  }
  ADAPTER_CHECK(ports_.inbox.Reject(transaction, rejected, ports_.clock.Now()));
  return MessageAnswer{MessageOutcome::kRefused, message.acknowledge(issues, false)};
}

}  // namespace fhir_adapter::pipeline
