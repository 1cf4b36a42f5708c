// MllpDecoder: the messages in a stream of bytes, as the Minimal Lower Layer Protocol frames them (HL7 v2
// Transport Specification: MLLP, Release 1): 0x0B, the message, 0x1C, 0x0D.
//
//   MllpDecoder decoder;
//   decoder.Push(bytes);
//   while (auto message = decoder.Next()) ...;
//   if (decoder.is_too_large()) ...;   // nothing more is read: close the connection
//
// How the stream is cut into pieces changes nothing. What stands between two frames is left out, and a frame
// in which another one begins is given up: neither byte can stand in a message. Pure; for one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/limits.h"

namespace fhir_adapter::intake {

class MllpDecoder {
 public:
  explicit MllpDecoder(std::size_t message_bytes_max = limits::kMllpMessageBytesMax)
      : message_bytes_max_(message_bytes_max) {}

  void Push(std::string_view bytes);

  // The next whole message, without its frame. Nothing: more bytes are needed, or is_too_large().
  std::optional<std::string> Next();

  // A frame has begun and did not end yet.
  bool is_inside() const { return is_inside_; }
  // The frame that has begun is longer than a message may be.
  bool is_too_large() const { return is_too_large_; }
  // What came of the frame that has begun; of one that is too large, the part that fits.
  std::string_view partial() const { return message_; }
  std::size_t frames_given_up() const { return frames_given_up_; }

 private:
  bool Append(std::string_view bytes);

  const std::size_t message_bytes_max_;
  std::string pending_;   // came, and was not looked at yet
  std::size_t next_ = 0;  // in pending_
  std::string message_;
  bool is_inside_ = false;
  bool is_too_large_ = false;
  std::size_t frames_given_up_ = 0;
};

std::string FrameMllp(std::string_view message);

}  // namespace fhir_adapter::intake
