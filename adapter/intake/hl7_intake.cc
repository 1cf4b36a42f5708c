#include "intake/hl7_intake.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include "net/http_head.h"
#include "pipeline/message_mapping.h"
#include "pipeline/record_mapping.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::string_view kSource = "mllp";
constexpr std::size_t kControlIdCharacters = 12;
constexpr std::size_t kClientApplicationBytesMax = 200;

Issue IssueAt(Code code, std::string place, std::string message) {
  return Issue{code, Location{{}, 1, 0, std::move(place)}, std::move(message)};
}

MllpOutcome OutcomeOf(Hl7Verdict verdict) {
  return verdict == Hl7Verdict::kReject  ? MllpOutcome::kRejected
         : verdict == Hl7Verdict::kError ? MllpOutcome::kError
                                         : MllpOutcome::kAccepted;
}

// Of what was refused: never an acceptance, whatever the codes are usually told as.
Hl7Verdict RefusalOf(const Issues& issues) {
  const bool is_reject = std::ranges::any_of(
      issues, [](const Issue& issue) { return VerdictOf(issue.code) == Hl7Verdict::kReject; });
  return is_reject ? Hl7Verdict::kReject : Hl7Verdict::kError;
}

// The headers and trailers of a batch.
struct BatchFrame {
  std::vector<Hl7Header> headers;  // FHS, BHS
  std::int64_t count = -1;         // BTS-1; -1: not said
};

BatchFrame ReadBatchFrame(std::string_view text) {
  BatchFrame batch;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view segment = text.substr(0, end);
    if (segment.starts_with("FHS") || segment.starts_with("BHS")) {
      if (auto header = ReadHl7Header(segment)) batch.headers.push_back(std::move(*header));
    }
    if (segment.starts_with("BTS") && segment.size() > 4) {
      const char* first = segment.data() + 4;
      std::from_chars(first, segment.data() + segment.size(), batch.count);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return batch;
}

// Who it is says the certificate, not the message.
Principal PrincipalOf(const Hl7Header& header, const MllpFrame& frame, const BoundCertificates& senders) {
  const bool is_known = !frame.certificate_sha256.empty();
  Principal principal;
  principal.kind = is_known ? ActorKind::kCredential : ActorKind::kAnonymous;
  principal.id = is_known ? "unbound" : "loopback";
  for (const auto& [sender, certificates] : senders) {
    if (certificates.contains(frame.certificate_sha256)) principal.id = sender;
  }
  principal.authentication = is_known ? "certificate" : "loopback";
  principal.roles = {Role::kIngest};
  principal.client_address = frame.peer_address;
  principal.client_application = header.Sender().substr(0, kClientApplicationBytesMax);
  const std::string control_id = header.Text(10);
  if (net::IsRequestId(control_id)) principal.request_id = control_id;
  return principal;
}

}  // namespace

// The maps of the moment, ready to read messages.
struct Hl7Intake::Reader {
  explicit Reader(std::shared_ptr<const pipeline::MappingSet> of)
      : set(std::move(of)), records(set), messages(records) {}

  std::shared_ptr<const pipeline::MappingSet> set;
  pipeline::RecordMapping records;
  pipeline::MessageMapping messages;
};

Hl7Intake::Hl7Intake(Hl7IntakeOptions options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

Hl7Intake::~Hl7Intake() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Hl7Intake::Take(const MllpFrame& frame, MllpServer::Answer done) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back({frame, std::move(done)});
  }
  changed_.notify_all();
}

void Hl7Intake::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      TakeFrame(next.frame, next.done);
    } catch (const std::exception&) {
      MllpReply broken;
      broken.is_broken = true;
      next.done(std::move(broken));
    }
    lock.lock();
  }
}

Hl7Intake::Reader& Hl7Intake::ReaderOfNow() {
  auto set = options_.maps();
  if (!reader_ || reader_->set != set) reader_ = std::make_unique<Reader>(std::move(set));
  return *reader_;
}

Hl7Answer Hl7Intake::AnswerOf(Hl7Verdict verdict, Issues issues) const {
  static constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's
  Hl7Answer answer{verdict, std::move(issues), {}, options_.clock.Now()};
  std::uint64_t bits = options_.random.Next();
  for (std::size_t i = 0; i < kControlIdCharacters; ++i, bits >>= 5) {
    answer.control_id += kAlphabet[bits & 31];
  }
  return answer;
}

// What is no message, or more than one frame may hold: nothing of it was looked at.
MllpReply Hl7Intake::RefuseFrame(const std::string& message, Issue issue) const {
  const Hl7Answer answer = AnswerOf(Hl7Verdict::kReject, {std::move(issue)});
  const auto header = ReadHl7Header(message);
  const bool is_message = header && header->segment == "MSH";
  return {is_message ? Acknowledge(*header, message, answer) : AcknowledgeUnreadable(answer),
          {MllpOutcome::kRejected}};
}

void Hl7Intake::TakeFrame(const MllpFrame& frame, MllpServer::Answer done) {
  if (frame.is_too_large) {
    return done(
        RefuseFrame(frame.message, IssueAt(Code::kLimit, "",
                                           "the message is longer than kMllpMessageBytesMax (" +
                                               std::to_string(limits::kMllpMessageBytesMax) + ") bytes")));
  }
  const std::vector<record::Hl7MessageText> texts = record::SplitHl7Messages(frame.message);
  BatchFrame batch = ReadBatchFrame(frame.message);
  const bool is_batch = frame.message.starts_with("FHS") || frame.message.starts_with("BHS");
  if (texts.empty() || (!is_batch && texts.size() > 1)) {
    return done(RefuseFrame(frame.message,
                            IssueAt(Code::kNotAllowed, "",
                                    texts.empty() ? "the frame holds no message"
                                                  : "several messages in a frame need BHS before them")));
  }
  if (texts.size() > limits::kHl7BatchMessagesMax) {
    return done(RefuseFrame(texts.front().bytes,
                            IssueAt(Code::kLimit, "",
                                    "more than kHl7BatchMessagesMax (" +
                                        std::to_string(limits::kHl7BatchMessagesMax) + ") messages")));
  }
  if (!is_batch) return TakeMessage(texts.front().bytes, frame, std::move(done));
  if (batch.count >= 0 && batch.count != static_cast<std::int64_t>(texts.size())) {
    return done(RefuseFrame(texts.front().bytes, IssueAt(Code::kNotAllowed, "BTS-1",
                                                         "the batch holds another number of messages")));
  }
  std::vector<std::string> messages;
  for (const record::Hl7MessageText& text : texts) messages.push_back(text.bytes);
  TakeBatch(std::move(batch.headers), std::move(messages), frame, std::move(done));
}

// Answers of a batch, in the order of its messages.
struct Hl7Intake::Batch {
  std::vector<Hl7Header> headers;
  std::vector<MllpReply> replies;
  std::size_t left = 0;
  TimeUs time;
  MllpServer::Answer done;
  std::mutex
      mutex;  // guards replies and left: refusals come on the intake's thread, the rest on the writer's

  void Put(std::size_t place, MllpReply reply) {
    {
      const std::scoped_lock lock(mutex);
      replies[place] = std::move(reply);
      if (--left > 0) return;
    }
    MllpReply all;
    std::vector<std::string> answers;
    for (MllpReply& one : replies) {
      answers.push_back(std::move(one.message));
      all.outcomes.insert(all.outcomes.end(), one.outcomes.begin(), one.outcomes.end());
    }
    all.message = AcknowledgeBatch(headers, answers, time);
    done(std::move(all));
  }
};

void Hl7Intake::TakeBatch(std::vector<Hl7Header> headers, std::vector<std::string> messages,
                          const MllpFrame& frame, MllpServer::Answer done) {
  // Shared by the messages that are under way.
  const auto batch = std::make_shared<Batch>();
  batch->headers = std::move(headers);
  batch->replies.resize(messages.size());
  batch->left = messages.size();
  batch->time = options_.clock.Now();
  batch->done = std::move(done);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    TakeMessage(messages[i], frame, [batch, i](MllpReply reply) { batch->Put(i, std::move(reply)); });
  }
}

// Whether the message may be looked at, and by what its header says can be taken.
std::optional<Issue> Hl7Intake::Check(const Hl7Header& header, const MllpFrame& frame,
                                      const BoundCertificates& senders) const {
  if (header.too_long_field != 0) {
    return IssueAt(Code::kLimit, "MSH-" + std::to_string(header.too_long_field),
                   "longer than kHl7HeaderFieldBytesMax (" + std::to_string(limits::kHl7HeaderFieldBytesMax) +
                       ") bytes");
  }
  for (const std::size_t number : {std::size_t{3}, std::size_t{4}}) {
    if (header.Text(number).find('|') == std::string::npos) continue;
    return IssueAt(Code::kNotAllowed, "MSH-" + std::to_string(number), "the name of a sender has no bar");
  }
  if (options_.senders) {
    const auto bound = senders.find(header.Sender());
    if (bound == senders.end() || !bound->second.contains(frame.certificate_sha256)) {
      return IssueAt(Code::kForbidden, "MSH-3", "the certificate shown is not bound to this sender");
    }
  }
  if (header.Text(10).empty()) return IssueAt(Code::kMissing, "MSH-10", "the message needs a number");
  if (header.Text(11) != options_.processing_id) {
    return IssueAt(Code::kNotSupported, "MSH-11",
                   "only processing id " + options_.processing_id + " is taken");
  }
  if (!header.Text(12).starts_with("2.")) {
    return IssueAt(Code::kNotSupported, "MSH-12", "only versions 2.x are taken");
  }
  if (std::ranges::find(options_.sites, header.Text(4)) == options_.sites.end()) {
    return IssueAt(Code::kWrongSite, "MSH-4", "the site is not accepted here");
  }
  return std::nullopt;
}

void Hl7Intake::TakeMessage(const std::string& message, const MllpFrame& frame, MllpServer::Answer done) {
  const auto header = ReadHl7Header(message);
  if (!header || header->segment != "MSH") {
    return done(RefuseFrame(
        message, IssueAt(Code::kNotAllowed, "", "a message begins with MSH and its five delimiters")));
  }
  pipeline::IncomingMessage incoming;
  incoming.source = kSource;
  const BoundCertificates senders = options_.senders ? options_.senders() : BoundCertificates();
  incoming.actor = PrincipalOf(*header, frame, senders);
  incoming.sender = header->Sender();
  incoming.bytes = message;
  if (auto problem = Check(*header, frame, senders)) {
    // Who may not speak as this sender learns nothing of what the sender sent.
    incoming.read = [problem = std::move(*problem)] {
      pipeline::MessageInput input;
      input.issues.push_back(problem);
      input.is_refused = true;
      return input;
    };
  } else {
    Reader& reader = ReaderOfNow();
    incoming.control_id = header->Text(10);
    incoming.map_set_sha256 = reader.set->name();
    incoming.read = [this, &reader, &message] { return reader.messages.Read(message, options_.zone.get()); };
  }
  // Shared by what is told in the transaction and what is told without one.
  const auto verdict = std::make_shared<Hl7Verdict>(Hl7Verdict::kAccept);
  const auto tell = [this, header = *header, message, verdict](const Issues& issues, Hl7Verdict told) {
    *verdict = told;
    return Acknowledge(header, message, AnswerOf(told, issues));
  };
  incoming.acknowledge = [tell](const Issues& issues, bool is_taken) {
    return tell(issues, is_taken ? Hl7Verdict::kAccept : RefusalOf(issues));
  };
  options_.receiver.Receive(std::move(incoming), [tell, verdict, done = std::move(done)](
                                                     Result<pipeline::MessageAnswer> answer) {
    if (!answer) {
      const Error& error = answer.error();
      return done(
          {tell({{error.code, error.where, error.message}}, Hl7Verdict::kError), {MllpOutcome::kError}});
    }
    const bool is_repeated = answer->outcome == pipeline::MessageOutcome::kRepeated;
    done({std::move(answer->acknowledgement), {is_repeated ? MllpOutcome::kRepeated : OutcomeOf(*verdict)}});
  });
}

}  // namespace fhir_adapter::intake
