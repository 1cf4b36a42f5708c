// MessageReceiver: takes an HL7 v2 message into the store, once. What it brings, what its sender is told and
// the number by which it is known again become durable together; a message that comes again gets the stored
// answer, byte for byte, and another one under its number is refused.
//
// Receive may be called from any thread that may wait for a read of the store and for the mapping; it does
// not wait for the commit: `done` runs on the writer's thread after it, or at once with kDiskFull,
// kHighWater, kNotReady, kStoreFailed. Owns nothing; what it refers to must outlive it. Records and
// Observations go in as those that came over HTTP do. HL7 v2.5 2.9.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/inbox.h"
#include "outbox/queue_reader.h"
#include "outbox/received_messages.h"
#include "pipeline/message_input.h"
#include "pipeline/push_receiver.h"
#include "pipeline/receive.h"
#include "storage/transaction.h"

namespace fhir_adapter::pipeline {

enum class MessageOutcome : std::uint8_t {
  kTaken,
  kRepeated,  // was taken before
  kRefused
};

struct MessageAnswer {
  MessageOutcome outcome = MessageOutcome::kTaken;
  std::string acknowledgement;
};

struct IncomingMessage {
  std::string source;
  Principal actor;
  std::string sender;      // MSH-3|MSH-4
  std::string control_id;  // MSH-10
  std::string bytes;
  std::string map_set_sha256;
  // Reads and maps it. Called on the thread of Receive, at most once, and not for a message that came again.
  std::function<MessageInput()> read;
  // What the sender is told. Called once, on the writer's thread, and kept.
  std::function<std::string(const Issues& issues, bool is_taken)> acknowledge;
};

class MessageReceiver {
 public:
  struct Ports {
    storage::Store& store;
    outbox::Inbox& inbox;
    outbox::ReceivedMessages& messages;
    outbox::QueueReader& queue;
    Receiver& records;
    PushReceiver& observations;
    Clock& clock;
  };

  MessageReceiver(const Ports& ports, std::int64_t high_water) : ports_(ports), high_water_(high_water) {}

  using Done = std::function<void(Result<MessageAnswer>)>;
  void Receive(IncomingMessage message, Done done);

  // Called (on the writer's thread) after something became durable: wakes the mapping pool.
  void OnAccepted(std::function<void()> notify) { notify_ = std::move(notify); }

 private:
  struct Passage;
  Result<bool> CameBefore(const Passage& passage);
  Result<MessageAnswer> Take(storage::Transaction& transaction, const Passage& passage);
  Result<MessageAnswer> TakeNew(storage::Transaction& transaction, const Passage& passage, TimeUs now);
  Result<std::vector<std::string>> TakeContent(storage::Transaction& transaction, const Passage& passage);
  Result<MessageAnswer> Refuse(storage::Transaction& transaction, const Passage& passage,
                               const Issues& issues);
  void RefuseApart(const std::shared_ptr<Passage>& passage, const Error& error);

  const Ports ports_;
  const std::int64_t high_water_;
  std::function<void()> notify_;
};

}  // namespace fhir_adapter::pipeline
