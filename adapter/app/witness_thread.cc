#include "app/witness_thread.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base64.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

constexpr std::chrono::seconds kLook{1};
constexpr std::int64_t kTimeoutMs = 10'000;
constexpr std::int64_t kWaitMinUs = 5'000'000;
constexpr std::int64_t kWaitMaxUs = 300'000'000;
constexpr std::size_t kAnswerBytesMax = 10'000;  // some signature lines
constexpr int kOffersMax = 2;                    // the witness may have to say first how far it has seen
constexpr long kOk = 200;
constexpr long kForbidden = 403;
constexpr long kNotKnown = 404;
constexpr long kConflict = 409;
constexpr long kNotProved = 422;

std::string LinesOf(const audit::Proof& proof) {
  std::string lines;
  for (const audit::Hash& hash : proof) lines += ToBase64(audit::BytesOf(hash)) + "\n";
  return lines;
}

Failure Refused(const std::string& url, long status) {
  switch (status) {
    case kForbidden:
      return Fail(Code::kUnauthorized,
                  url + " does not take the signature: give it the verifier key of this log");
    case kNotKnown:
      return Fail(Code::kNotFound, url + " does not know this log: give it its origin and verifier key");
    case kNotProved:
      return Fail(Code::kIntegrity, url + " has cosigned another history of this log");
    default:
      return Fail(Code::kServerAnswer, url + " answered HTTP " + std::to_string(status));
  }
}

}  // namespace

WitnessThread::WitnessThread(audit::LogPorts ports, audit::VerifierKey log, WitnessSettings settings,
                             audit::CheckpointFile cosigned, Clock& clock)
    : ports_(ports),
      log_(std::move(log)),
      settings_(std::move(settings)),
      cosigned_(std::move(cosigned)),
      clock_(clock) {
  const auto last = cosigned_.Last();
  if (!last) return;
  const auto checkpoint = audit::OpenCheckpoint(log_, *last);
  if (!checkpoint) return;
  known_size_ = checkpoint->size;
  cosigned_note_ = audit::ToText(*checkpoint);
}

WitnessThread::~WitnessThread() {
  Stop();
}

void WitnessThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WitnessThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  if (!has_failed()) Look();
}

bool WitnessThread::has_failed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

void WitnessThread::Run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kLook, [this] { return stopping_; })) {
    lock.unlock();
    if (clock_.MonotonicUs() >= next_us_) Look();
    lock.lock();
  }
}

void WitnessThread::Look() {
  const auto offered = Offer();
  const std::lock_guard lock(mutex_);
  if (offered) {
    if (has_failed_) LogEvent(LogLevel::kInfo, "audit-witness-again", {{"witness", settings_.key.name()}});
    wait_us_ = 0;
  } else {
    if (!has_failed_) {
      LogEvent(LogLevel::kError, "audit-witness-failed", {{"message", ToString(offered.error())}});
    }
    wait_us_ = std::clamp(wait_us_ * 2, kWaitMinUs, kWaitMaxUs);
    next_us_ = clock_.MonotonicUs() + wait_us_;
  }
  has_failed_ = !offered;
}

// The note is empty when there is nothing to offer.
Result<WitnessThread::Offered> WitnessThread::Prepare() {
  Offered offered;
  ADAPTER_CHECK(ports_.store.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(std::string note, ports_.tree.Checkpoint(snapshot));
    if (note.empty()) return {};
    ADAPTER_TRY(offered.checkpoint, audit::OpenCheckpoint(log_, note));
    if (audit::ToText(offered.checkpoint) == cosigned_note_) return {};
    if (known_size_ > offered.checkpoint.size) {
      return Fail(Code::kIntegrity, settings_.url + " has cosigned " + std::to_string(known_size_) +
                                        " entries of this log, which has " +
                                        std::to_string(offered.checkpoint.size) +
                                        ": an older store was put in place");
    }
    audit::SnapshotTiles tiles(ports_.tree, snapshot);
    audit::TileSubtrees subtrees(tiles, offered.checkpoint.size);
    ADAPTER_TRY(const audit::Proof proof,
                audit::ConsistencyProof(subtrees, known_size_, offered.checkpoint.size));
    offered.proof = LinesOf(proof);
    offered.note = std::move(note);
    return {};
  }));
  return offered;
}

Result<void> WitnessThread::Offer() {
  for (int i = 0; i < kOffersMax; ++i) {
    ADAPTER_TRY(const Offered offered, Prepare());
    if (offered.note.empty()) return {};
    HttpCall call;
    call.method = "POST";
    call.url = settings_.url + "/add-checkpoint";
    call.content_type = "text/plain";
    call.body = "old " + std::to_string(known_size_) + "\n" + offered.proof + "\n" + offered.note;
    call.tls.authority_file = settings_.authority_file;
    call.timeout_ms = kTimeoutMs;
    call.answer_bytes_max = kAnswerBytesMax;
    ADAPTER_TRY(const HttpAnswer answer, Perform(call));
    if (answer.status == kOk) return TakeCosignature(offered, answer.body);
    if (answer.status != kConflict) return Refused(settings_.url, answer.status);
    ADAPTER_CHECK(TakeConflict(offered, answer.body));
  }
  return Fail(Code::kServerAnswer, settings_.url + " does not agree to how far it has seen the log");
}

Result<void> WitnessThread::TakeCosignature(const Offered& offered, std::string_view lines) {
  const std::string text = audit::ToText(offered.checkpoint);
  ADAPTER_TRY(const audit::Cosignature cosignature, audit::FindCosignature(settings_.key, text, lines));
  ADAPTER_CHECK(cosigned_.Append(offered.note + cosignature.line));
  known_size_ = offered.checkpoint.size;
  cosigned_note_ = text;
  return {};
}

// The body is the size that it cosigned last.
Result<void> WitnessThread::TakeConflict(const Offered& offered, std::string_view body) {
  std::uint64_t size = 0;
  if (body.ends_with('\n')) body.remove_suffix(1);
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), size);
  if (error != std::errc() || end != body.data() + body.size()) {
    return Fail(Code::kServerAnswer, settings_.url + " answered HTTP 409 without a size");
  }
  if (size == known_size_ && size <= offered.checkpoint.size) {
    return Fail(Code::kIntegrity, settings_.url + " has cosigned another history of this log");
  }
  known_size_ = size;
  return {};
}

}  // namespace fhir_adapter::app
