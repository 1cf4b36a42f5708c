// JsonText: appends JSON to a string with room made ahead, so that no byte is asked for twice.
//
// For writers of a whole value: while one lives, the string belongs to it; the destructor cuts off what was
// not used. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "fhir/node.h"

namespace fhir_adapter::fhir {

class JsonText {
 public:
  explicit JsonText(std::string& out) : out_(out), at_(out.size()) {}
  ~JsonText() { out_.resize(at_); }
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  void Add(char c) {
    MakeRoom(1);
    out_[at_++] = c;
  }

  void Add(std::string_view text) {
    MakeRoom(text.size());
    if (!text.empty()) std::memcpy(&out_[at_], text.data(), text.size());
    at_ += text.size();
  }

  // A tree as it stands.
  void AddNode(const Node& node);

  // In quotes, with the escapes of RFC 8259.
  void AddString(std::string_view text) {
    MakeRoom(text.size());
    AddQuoted(text);
  }

  // `separator`, the name in quotes and the colon.
  void AddName(char separator, std::string_view name) {
    MakeRoom(name.size());
    out_[at_++] = separator;
    AddQuoted(name);
    out_[at_++] = ':';
  }

 private:
  // There is always room for what surrounds a string.
  static constexpr std::size_t kSpareBytes = 8;
  static constexpr std::size_t kGrowthBytes = 256;

  void MakeRoom(std::size_t bytes) {
    if (out_.size() - at_ < bytes + kSpareBytes) Grow(bytes);
  }
  void Grow(std::size_t bytes);
  // There is room for the text already, unless something in it must be escaped.
  void AddQuoted(std::string_view text);
  void AddEscaped(std::string_view text);

  std::string& out_;
  std::size_t at_;
};

}  // namespace fhir_adapter::fhir
