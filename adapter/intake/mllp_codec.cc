#include "intake/mllp_codec.h"

#include <algorithm>
#include <utility>

namespace fhir_adapter::intake {
namespace {

constexpr char kStart = '\x0B';
constexpr char kEnd = '\x1C';
constexpr char kAfterEnd = '\r';
constexpr std::string_view kFrameBytes = "\x0B\x1C";

}  // namespace

void MllpDecoder::Push(std::string_view bytes) {
  pending_.erase(0, std::exchange(next_, 0));
  pending_ += bytes;
}

bool MllpDecoder::Append(std::string_view bytes) {
  const std::size_t room = message_bytes_max_ - message_.size();
  is_too_large_ = bytes.size() > room;
  message_ += bytes.substr(0, room);
  return !is_too_large_;
}

std::optional<std::string> MllpDecoder::Next() {
  while (next_ < pending_.size() && !is_too_large_) {
    const std::string_view left = std::string_view(pending_).substr(next_);
    if (!is_inside_) {
      const std::size_t start = std::min(left.find(kStart), left.size());
      next_ += start;
      if (start == left.size()) break;
      ++next_;
      is_inside_ = true;
      message_.clear();
      continue;
    }
    const std::size_t at = std::min(left.find_first_of(kFrameBytes), left.size());
    if (!Append(left.substr(0, at))) break;
    next_ += at;
    if (at == left.size()) break;
    if (left[at] == kStart) {
      ++frames_given_up_;
      is_inside_ = false;
      continue;
    }
    if (at + 1 == left.size()) break;  // what follows 0x1C has not come
    ++next_;
    if (left[at + 1] == kAfterEnd) {
      ++next_;
      is_inside_ = false;
      return std::exchange(message_, {});
    }
    if (!Append(left.substr(at, 1))) break;
  }
  return std::nullopt;
}

std::string FrameMllp(std::string_view message) {
  std::string frame;
  frame.reserve(message.size() + 3);
  frame += kStart;
  frame += message;
  frame += kEnd;
  frame += kAfterEnd;
  return frame;
}

}  // namespace fhir_adapter::intake
