#include "record/hl7v2_reader.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "fhir/utf8.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;

constexpr std::size_t kSegmentNameBytes = 3;
constexpr std::size_t kHeaderBytesMin = 8;  // MSH and the five delimiters

std::vector<std::string_view> Split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find(delimiter, begin);
    parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

// Code points and bytes are the same numbers.
std::string Utf8OfLatin1(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::optional<std::string> BytesOfHex(std::string_view digits, Hl7Charset charset) {
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int value = 0;
    for (const char c : digits.substr(i, 2)) {
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
      const int digit = c <= '9' ? c - '0' : (std::toupper(static_cast<unsigned char>(c)) - 'A' + 10);
      value = value * 16 + digit;
    }
    bytes += static_cast<char>(value);
  }
  if (charset == Hl7Charset::kLatin1) return Utf8OfLatin1(bytes);
  if (fhir::FindInvalidUtf8(bytes) < bytes.size()) return std::nullopt;
  return bytes;
}

// What `\name\` stands for; nothing: it is not known.
std::optional<std::string> EscapeValue(std::string_view name, const Hl7Delimiters& delimiters) {
  if (name == "F") return std::string(1, delimiters.field);
  if (name == "S") return std::string(1, delimiters.component);
  if (name == "T") return std::string(1, delimiters.subcomponent);
  if (name == "R") return std::string(1, delimiters.repetition);
  if (name == "E") return std::string(1, delimiters.escape);
  if (name == ".br") return std::string("\n");
  if (name == "H" || name == "N" || name.starts_with(".")) return std::string();
  if (name.starts_with("X")) return BytesOfHex(name.substr(1), delimiters.charset);
  return std::nullopt;
}

// The bytes of a frame of the minimal lower layer protocol, as a file may have kept them.
constexpr std::string_view kFrameBytes = "\x0B\x1C";
// What stands around the messages of a batch.
constexpr std::string_view kBatchSegments[] = {"FHS", "BHS", "BTS", "FTS"};

// MSH-18, before anything else can be read: the delimiters are ASCII in every charset.
Result<Hl7Charset> CharsetOf(std::string_view bytes) {
  constexpr std::size_t kCharsetPlace = 17;  // behind the field sign that is MSH-1 itself
  const std::string_view header = bytes.substr(0, bytes.find_first_of("\r\n"));
  if (header.size() <= kSegmentNameBytes) return Hl7Charset::kUtf8;
  const std::vector<std::string_view> fields = Split(header, header[kSegmentNameBytes]);
  if (fields.size() <= kCharsetPlace || header.size() < kHeaderBytesMin) return Hl7Charset::kUtf8;
  const std::string_view name = Split(fields[kCharsetPlace], header[5]).front();
  if (name.empty() || name == "UNICODE UTF-8" || name == "UTF-8") return Hl7Charset::kUtf8;
  if (name == "ASCII") return Hl7Charset::kAscii;
  if (name == "8859/1") return Hl7Charset::kLatin1;
  return Fail(Code::kEncoding, "MSH-18 must be ASCII, 8859/1 or UNICODE UTF-8", Location{"", 1, 1, ""});
}

Location PlaceOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto segments = static_cast<std::uint32_t>(std::ranges::count(before, '\r') + 1);
  const std::size_t end = before.rfind('\r');
  const std::size_t column = end == std::string_view::npos ? offset + 1 : offset - end;
  return Location{"", segments, static_cast<std::uint32_t>(column), ""};
}

class MessageReader {
 public:
  MessageReader(Hl7Charset charset, Arena& arena) : charset_(charset), arena_(arena) {}

  Result<Node*> Read(std::string_view text) {
    Node* message = Node::Object(arena_);
    Node* names = Node::Array(arena_);
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
      const std::string_view segment = text.substr(begin, end - begin);
      begin = end + 1;
      if (segment.empty()) continue;
      ++number_;
      ADAPTER_CHECK(CountElement(1));
      ADAPTER_CHECK(ReadSegment(segment, *message, *names));
    }
    if (number_ == 0) return Fail(Code::kNotAllowed, "the message is empty", At(1));
    message->AddMember(arena_, "segments", names);
    return message;
  }

 private:
  Location At(std::size_t column) const {
    return Location{"", std::max<std::uint32_t>(number_, 1), static_cast<std::uint32_t>(column), ""};
  }

  Result<void> ReadDelimiters(std::string_view segment) {
    if (!segment.starts_with("MSH") || segment.size() < kHeaderBytesMin) {
      return Fail(Code::kNotAllowed, "a message begins with MSH and its five delimiters", At(1));
    }
    delimiters_ = {segment[3], segment[4], segment[5], segment[6], segment[7], charset_};
    const std::string_view all = segment.substr(kSegmentNameBytes, 5);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool is_usable = std::ispunct(static_cast<unsigned char>(all[i])) != 0 && all.find(all[i]) == i;
      if (!is_usable) {
        return Fail(Code::kNotAllowed, "the delimiters of MSH-1 and MSH-2 must be five different signs",
                    At(kSegmentNameBytes + 1 + i));
      }
    }
    return {};
  }

  Result<void> ReadSegment(std::string_view text, Node& message, Node& names) {
    const bool is_header = number_ == 1;
    if (is_header) ADAPTER_CHECK(ReadDelimiters(text));
    const std::string_view name = text.substr(0, kSegmentNameBytes);
    const bool is_name = name.size() == kSegmentNameBytes && std::ranges::all_of(name, [](char c) {
                           return std::isupper(static_cast<unsigned char>(c)) != 0 ||
                                  std::isdigit(static_cast<unsigned char>(c)) != 0;
                         });
    const bool is_closed = text.size() <= kSegmentNameBytes || text[kSegmentNameBytes] == delimiters_.field;
    if (!is_name || !is_closed) {
      return Fail(Code::kNotAllowed, "a segment begins with its name of three letters or digits", At(1));
    }
    if (!is_header && name == "MSH") return Fail(Code::kNotAllowed, "a second message begins here", At(1));
    Node* segment = NewObject(1);
    if (text.size() > kSegmentNameBytes) {
      ADAPTER_CHECK(ReadFields(text, is_header, *segment));
    }
    const std::string_view stored = arena_.Copy(name);
    Node* list = message.Find(stored);
    if (list == nullptr) {
      list = Node::Array(arena_);
      message.AddMember(arena_, stored, list);
    }
    list->Append(arena_, segment);
    names.Append(arena_, NewText(name, 1));
    return {};
  }

  Result<void> ReadFields(std::string_view text, bool is_header, Node& segment) {
    std::size_t column = kSegmentNameBytes + 2;  // of the first field, 1-based
    std::size_t number = 1;
    if (is_header) {
      AddField(segment, 1, NewText(text.substr(kSegmentNameBytes, 1), kSegmentNameBytes + 1));
      AddField(segment, 2, NewText(text.substr(kSegmentNameBytes + 1, 4), column));
      text.remove_prefix(kHeaderBytesMin);
      if (text.empty()) return {};
      if (text.front() != delimiters_.field) {
        return Fail(Code::kNotAllowed, "MSH-2 has four signs", At(kHeaderBytesMin + 1));
      }
      text.remove_prefix(1);
      column = kHeaderBytesMin + 2;
      number = 3;
    } else {
      text.remove_prefix(kSegmentNameBytes + 1);
    }
    for (const std::string_view field : Split(text, delimiters_.field)) {
      ADAPTER_TRY(Node* const value, ReadField(field, column));
      if (value != nullptr) AddMember(segment, number, value);
      column += field.size() + 1;
      ++number;
    }
    return {};
  }

  // Null: empty.
  Result<Node*> ReadField(std::string_view text, std::size_t column) {
    Node* repetitions = nullptr;
    for (const std::string_view repetition : Split(text, delimiters_.repetition)) {
      ADAPTER_TRY(Node* const value, ReadComponents(repetition, column));
      if (value != nullptr) {
        if (repetitions == nullptr) repetitions = Node::Array(arena_);
        repetitions->Append(arena_, value);
      }
      column += repetition.size() + 1;
    }
    return repetitions;
  }

  Result<Node*> ReadComponents(std::string_view text, std::size_t column) {
    Node* made = nullptr;
    std::size_t number = 1;
    const std::size_t begin = column;
    for (const std::string_view component : Split(text, delimiters_.component)) {
      ADAPTER_TRY(Node* const value, ReadSubcomponents(component, column));
      if (value != nullptr) {
        if (made == nullptr) made = NewObject(begin);
        AddMember(*made, number, value);
      }
      column += component.size() + 1;
      ++number;
    }
    return made;
  }

  Result<Node*> ReadSubcomponents(std::string_view text, std::size_t column) {
    if (text.empty()) return nullptr;
    const std::vector<std::string_view> parts = Split(text, delimiters_.subcomponent);
    if (parts.size() == 1) {
      ADAPTER_CHECK(CountElement(column));
      return NewText(UnescapeHl7(text, delimiters_), column);
    }
    Node* made = nullptr;
    const std::size_t begin = column;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].empty()) {
        ADAPTER_CHECK(CountElement(column));
        if (made == nullptr) made = NewObject(begin);
        AddMember(*made, i + 1, NewText(UnescapeHl7(parts[i], delimiters_), column));
      }
      column += parts[i].size() + 1;
    }
    return made;
  }

  Result<void> CountElement(std::size_t column) {
    if (++elements_ <= limits::kRecordElementsMax) return {};
    return Fail(Code::kLimit,
                "more than kRecordElementsMax (" + std::to_string(limits::kRecordElementsMax) + ") values",
                At(column));
  }

  // A delimiter of MSH has no repetitions or components of its own.
  void AddField(Node& segment, std::size_t number, Node* value) {
    Node* repetition = NewObject(value->column);
    AddMember(*repetition, 1, value);
    Node* field = Node::Array(arena_);
    field->Append(arena_, repetition);
    AddMember(segment, number, field);
  }

  void AddMember(Node& object, std::size_t number, Node* value) {
    object.AddMember(arena_, arena_.Copy(std::to_string(number)), value);
  }

  Node* NewObject(std::size_t column) {
    Node* node = Node::Object(arena_);
    node->line = number_;
    node->column = static_cast<std::uint32_t>(column);
    return node;
  }

  Node* NewText(std::string_view text, std::size_t column) {
    Node* node = Node::String(arena_, text);
    node->line = number_;
    node->column = static_cast<std::uint32_t>(column);
    return node;
  }

  Hl7Charset charset_;
  Arena& arena_;
  Hl7Delimiters delimiters_;
  std::uint32_t number_ = 0;  // of the segment, 1-based
  std::size_t elements_ = 0;
};

}  // namespace

std::string UnescapeHl7(std::string_view text, const Hl7Delimiters& delimiters) {
  std::string out;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::size_t open = text.find(delimiters.escape, offset);
    const std::size_t close = open == std::string_view::npos ? open : text.find(delimiters.escape, open + 1);
    if (close == std::string_view::npos) break;
    out += text.substr(offset, open - offset);
    if (const auto value = EscapeValue(text.substr(open + 1, close - open - 1), delimiters)) {
      out += *value;
      offset = close + 1;
    } else {
      // Not an escape: the second sign may begin one.
      out += text.substr(open, close - open);
      offset = close;
    }
  }
  return out + std::string(text.substr(offset));
}

Result<Node*> ReadHl7Message(std::string_view bytes, Arena& arena) {
  if (bytes.size() > limits::kRecordBytesMax) {
    return Fail(Code::kLimit,
                "more than kRecordBytesMax (" + std::to_string(limits::kRecordBytesMax) + ") bytes");
  }
  ADAPTER_TRY(const Hl7Charset charset, CharsetOf(bytes));
  if (charset == Hl7Charset::kLatin1) {
    return MessageReader(charset, arena).Read(Utf8OfLatin1(bytes));
  }
  const auto is_foreign = [charset](char c) {
    return charset == Hl7Charset::kAscii && static_cast<unsigned char>(c) >= 0x80;
  };
  const auto foreign = std::ranges::find_if(bytes, is_foreign);
  const std::size_t bad =
      std::min(static_cast<std::size_t>(foreign - bytes.begin()), fhir::FindInvalidUtf8(bytes));
  if (bad < bytes.size()) {
    return Fail(Code::kEncoding, "the bytes are not of the charset that MSH-18 declares",
                PlaceOf(bytes, bad));
  }
  return MessageReader(charset, arena).Read(bytes);
}

std::vector<Hl7MessageText> SplitHl7Messages(std::string_view text) {
  std::vector<Hl7MessageText> messages;
  std::uint32_t line = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    std::string_view segment = text.substr(begin, end - begin);
    begin = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
    ++line;
    while (!segment.empty() && kFrameBytes.find(segment.front()) != std::string_view::npos)
      segment.remove_prefix(1);
    while (!segment.empty() && kFrameBytes.find(segment.back()) != std::string_view::npos)
      segment.remove_suffix(1);
    const std::string_view name = segment.substr(0, kSegmentNameBytes);
    if (std::ranges::find(kBatchSegments, name) != std::end(kBatchSegments)) continue;
    if (name == "MSH" || (messages.empty() && !segment.empty())) messages.push_back({{}, line});
    if (messages.empty()) continue;
    // A blank line keeps the count of lines.
    messages.back().bytes.append(segment).push_back('\r');
  }
  return messages;
}

}  // namespace fhir_adapter::record
