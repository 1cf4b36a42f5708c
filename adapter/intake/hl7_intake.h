// Hl7Intake: what becomes of one MLLP frame. Reads the message (or the batch of them), lets it in or not,
// hands it to the MessageReceiver, and gives what is to be sent back.
//
// Take may be called from any thread and does not block: a thread of the intake's own reads and maps the
// frames, in their order. A connection has one frame in hand, so that no more of them wait than there are
// connections. `done` is called once for each frame, from any thread; not for those that still wait when the
// intake goes. What the options refer to must outlive it.
//
// HL7 v2.5 chapter 2: 2.9 (acknowledgements), 2.10.3 (batches).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/time_zone.h"
#include "intake/hl7_acknowledgement.h"
#include "intake/mllp_server.h"
#include "pipeline/mapping_set.h"
#include "pipeline/message_receiver.h"

namespace fhir_adapter::intake {

// "application|facility" of MSH-3 and MSH-4 to the SHA-256 of the certificates that may speak as it.
using BoundCertificates = std::map<std::string, std::set<std::string>>;

struct Hl7IntakeOptions {
  pipeline::MessageReceiver& receiver;
  // The maps of the moment: messages are read with them when they come.
  std::function<std::shared_ptr<const pipeline::MappingSet>()> maps;
  std::shared_ptr<const TimeZone> zone;  // shared: it is immutable; of the sender's clocks; may be null
  std::vector<std::string> sites;        // that MSH-4 may name
  std::string processing_id;             // that MSH-11 has to be
  // Asked at each message. Without it everyone may speak as anyone.
  std::function<BoundCertificates()> senders;
  Clock& clock;
  Random& random;
};

class Hl7Intake {
 public:
  explicit Hl7Intake(Hl7IntakeOptions options);
  ~Hl7Intake();

  void Take(const MllpFrame& frame, MllpServer::Answer done);

 private:
  struct Reader;
  struct Batch;
  struct Waiting {
    MllpFrame frame;
    MllpServer::Answer done;
  };
  void Run();
  void TakeFrame(const MllpFrame& frame, MllpServer::Answer done);
  Hl7Answer AnswerOf(Hl7Verdict verdict, Issues issues) const;
  MllpReply RefuseFrame(const std::string& message, Issue issue) const;
  std::optional<Issue> Check(const Hl7Header& header, const MllpFrame& frame,
                             const BoundCertificates& senders) const;
  void TakeMessage(const std::string& message, const MllpFrame& frame, MllpServer::Answer done);
  void TakeBatch(std::vector<Hl7Header> headers, std::vector<std::string> messages, const MllpFrame& frame,
                 MllpServer::Answer done);
  Reader& ReaderOfNow();

  const Hl7IntakeOptions options_;
  std::unique_ptr<Reader> reader_;  // the thread's
  std::mutex mutex_;                // guards what follows
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fhir_adapter::intake
