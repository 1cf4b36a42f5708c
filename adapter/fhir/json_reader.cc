#include "fhir/json_reader.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>
#include <set>
#include <vector>

#include "fhir/json_escape.h"
#include "fhir/json_pointer.h"
#include "fhir/utf8.h"

namespace fhir_adapter::fhir {
namespace {

// RapidJSON's input stream over a copy of the text, which ends with a NUL and which strings are unescaped in.
// It remembers where each token began and on which line: RapidJSON skips white space right before every
// token, and argument-dependent lookup takes it to the SkipWhitespace below. Only white space holds line
// ends.
struct TextStream {
  using Ch = char;

  TextStream(char* text, std::size_t bytes)
      : begin(text), current(text), end(text + bytes), token(text), line_start(text), written(text) {}

  // RapidJSON takes NUL for the end; a NUL inside the text is found by Parse, below.
  Ch Peek() const { return *current; }
  Ch Take() { return current == end ? '\0' : *current++; }
  std::size_t Tell() const { return static_cast<std::size_t>(current - begin); }

  // Writing in place: never ahead of what has been read.
  Ch* PutBegin() { return written = current; }
  void Put(Ch c) { *written++ = c; }
  void Flush() {}
  std::size_t PutEnd(Ch* from) const { return static_cast<std::size_t>(written - from); }

  char* const begin;
  char* current;
  char* const end;
  char* token;
  char* line_start;
  char* written;
  std::uint32_t line = 1;
};

void SkipWhitespace(TextStream& stream) {
  char* at = stream.current;
  for (; *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'; ++at) {
    if (*at != '\n') continue;
    ++stream.line;
    stream.line_start = at + 1;
  }
  stream.current = at;
  stream.token = at;
}

// Moves on to the next byte of a string that cannot stand there as it is.
void CopyPlainText(TextStream& stream) {
  const char* at = stream.current;
  std::uint64_t word = 0;
  for (; static_cast<std::size_t>(stream.end - at) >= sizeof word; at += sizeof word) {
    std::memcpy(&word, at, sizeof word);
    if (const std::uint64_t escapes = EscapesIn(word); escapes != 0) {
      at += std::countr_zero(escapes) / 8;
      break;
    }
  }
  while (at != stream.end && !NeedsEscape(static_cast<unsigned char>(*at))) ++at;
  const auto bytes = static_cast<std::size_t>(at - stream.current);
  if (stream.written != stream.current) std::memmove(stream.written, stream.current, bytes);
  stream.current += bytes;
  stream.written += bytes;
}

// Gives RapidJSON's own stack its memory.
class RapidJsonAllocator {
 public:
  [[maybe_unused]] static constexpr bool kNeedFree = false;

  RapidJsonAllocator() { std::abort(); }  // RapidJSON wants it, for readers that are given none
  explicit RapidJsonAllocator(Arena& arena) : arena_(&arena) {}
  void* Malloc(std::size_t bytes) { return bytes == 0 ? nullptr : arena_->Allocate(bytes); }
  void* Realloc(void* old, std::size_t old_bytes, std::size_t bytes) {
    void* memory = Malloc(bytes);
    if (old_bytes > 0 && memory != nullptr) std::memcpy(memory, old, std::min(old_bytes, bytes));
    return memory;
  }
  static void Free(void*) {}

 private:
  Arena* arena_ = nullptr;
};

using JsonReader = rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, RapidJsonAllocator>;

Location LocationAt(std::string_view text, std::size_t offset, std::string pointer) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // none: 0
  const auto line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  return Location{{}, line, static_cast<std::uint32_t>(offset - line_start + 1), std::move(pointer)};
}

}  // namespace
}  // namespace fhir_adapter::fhir

// RapidJSON's own hook for scanning a string faster than byte by byte.
template <>
template <>
inline void fhir_adapter::fhir::JsonReader::ScanCopyUnescapedString(fhir_adapter::fhir::TextStream& stream,
                                                                    fhir_adapter::fhir::TextStream&) {
  fhir_adapter::fhir::CopyPlainText(stream);
}

namespace fhir_adapter::fhir {
namespace {

// Builds the tree from RapidJSON's events. A handler that returns false ends the parse; `failure` says why.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const TextStream& stream, Arena& arena, const JsonLimits& limits)
      : text_(text),
        stream_(stream),
        arena_(arena),
        limits_(limits),
        frames_(arena),
        members_(arena),
        items_(arena) {}

  bool Null() { return Value(NodeKind::kNull) != nullptr; }
  bool Bool(bool value) {
    Node* node = Value(NodeKind::kBoolean);
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) {
    Node* node = Value(NodeKind::kNumber);
    const auto length = static_cast<std::size_t>(stream_.current - stream_.token);
    if (node != nullptr) node->text = {stream_.token, length};
    return node != nullptr;
  }
  bool String(const char* data, rapidjson::SizeType length, bool) {
    if (HasEscapes(length) && HasLoneSurrogate({data, length})) return FailAtSurrogate();
    Node* node = Value(NodeKind::kString);
    if (node != nullptr) node->text = {data, length};
    return node != nullptr;
  }
  bool StartObject() { return Start(NodeKind::kObject); }
  bool Key(const char* data, rapidjson::SizeType length, bool);
  bool EndObject(rapidjson::SizeType);
  bool StartArray() { return Start(NodeKind::kArray); }
  bool EndArray(rapidjson::SizeType);

  // Numbers come as text; RapidJSON wants the names.
  bool Int(int) { std::abort(); }
  bool Uint(unsigned) { std::abort(); }
  bool Int64(std::int64_t) { std::abort(); }
  bool Uint64(std::uint64_t) { std::abort(); }
  bool Double(double) { std::abort(); }

  Node* root() const { return root_; }
  bool failed() const { return failed_; }
  Error TakeError() { return std::move(error_); }
  std::string Pointer() const;

 private:
  // Objects with more members than this look for duplicate keys in a set.
  static constexpr std::size_t kLinearMembersMax = 16;

  using Names = std::set<std::string_view, std::less<>, ArenaAllocator<std::string_view>>;

  struct Frame {
    Node* node;
    std::size_t first;  // in members_ or items_
    Names* names;       // never destroyed: all of it is the arena's
  };

  Node* Value(NodeKind kind);
  bool Start(NodeKind kind);
  bool IsDuplicate(Frame& frame, std::string_view name) const;
  bool FailAt(std::size_t offset, Code code, std::string message) {
    error_ = Error{code, std::move(message), LocationAt(text_, offset, Pointer())};
    failed_ = true;
    return false;
  }
  std::size_t token_offset() const { return static_cast<std::size_t>(stream_.token - stream_.begin); }

  // Of the string that was read last: the text in the source is longer than what it says.
  bool HasEscapes(std::size_t length) const {
    constexpr std::size_t kQuotes = 2;
    return static_cast<std::size_t>(stream_.current - stream_.token) != length + kQuotes;
  }
  static bool HasLoneSurrogate(std::string_view text);
  bool FailAtSurrogate();

  std::string_view text_;
  const TextStream& stream_;
  Arena& arena_;
  const JsonLimits& limits_;
  ArenaVector<Frame> frames_;
  ArenaVector<Member> members_;  // of all open objects; the last has its value only once that is known
  ArenaVector<Node*> items_;     // of all open arrays
  std::size_t elements_ = 0;
  Node* root_ = nullptr;
  bool failed_ = false;
  Error error_;
};

Node* TreeBuilder::Value(NodeKind kind) {
  if (++elements_ > limits_.elements_max) {
    FailAt(token_offset(), Code::kLimit, "more than " + std::to_string(limits_.elements_max) + " values");
    return nullptr;
  }
  Node* node = arena_.Make<Node>();
  node->kind = kind;
  node->line = stream_.line;
  node->column = static_cast<std::uint32_t>(stream_.token - stream_.line_start + 1);
  if (frames_.empty()) {
    root_ = node;
  } else if (frames_.back().node->is_object()) {
    members_.back().value = node;
  } else {
    items_.push_back(node);
  }
  return node;
}

bool TreeBuilder::Start(NodeKind kind) {
  if (frames_.size() == limits_.depth_max) {
    return FailAt(token_offset(), Code::kLimit,
                  "nested deeper than " + std::to_string(limits_.depth_max) + " levels");
  }
  Node* node = Value(kind);
  if (node == nullptr) return false;
  frames_.push_back(Frame{node, kind == NodeKind::kObject ? members_.size() : items_.size(), nullptr});
  return true;
}

bool TreeBuilder::IsDuplicate(Frame& frame, std::string_view name) const {
  const std::size_t count = members_.size() - frame.first;
  if (count < kLinearMembersMax) {
    return std::any_of(members_.begin() + static_cast<std::ptrdiff_t>(frame.first), members_.end(),
                       [&](const Member& member) { return member.name == name; });
  }
  if (frame.names == nullptr) {
    frame.names = new (arena_.Allocate(sizeof(Names), alignof(Names))) Names(arena_);
    for (std::size_t i = frame.first; i < members_.size(); ++i) frame.names->insert(members_[i].name);
  }
  return !frame.names->insert(name).second;
}

bool TreeBuilder::Key(const char* data, rapidjson::SizeType length, bool) {
  if (HasEscapes(length) && HasLoneSurrogate({data, length})) return FailAtSurrogate();
  const std::string_view name(data, length);
  const bool duplicate = IsDuplicate(frames_.back(), name);
  members_.push_back(Member{name, nullptr});
  if (duplicate) {
    return FailAt(token_offset(), Code::kDuplicateKey, "the object names this member twice");
  }
  return true;
}

bool TreeBuilder::EndObject(rapidjson::SizeType) {
  const Frame& frame = frames_.back();
  const std::size_t count = members_.size() - frame.first;
  frame.node->member_data = count == 0 ? nullptr : arena_.MakeRoom<Member>(count);
  std::uninitialized_copy_n(members_.begin() + static_cast<std::ptrdiff_t>(frame.first), count,
                            frame.node->member_data);
  frame.node->size = frame.node->capacity = static_cast<std::uint32_t>(count);
  members_.resize(frame.first);
  frames_.pop_back();
  return true;
}

bool TreeBuilder::EndArray(rapidjson::SizeType) {
  const Frame& frame = frames_.back();
  const std::size_t count = items_.size() - frame.first;
  frame.node->item_data = count == 0 ? nullptr : arena_.MakeRoom<Node*>(count);
  std::uninitialized_copy_n(items_.begin() + static_cast<std::ptrdiff_t>(frame.first), count,
                            frame.node->item_data);
  frame.node->size = frame.node->capacity = static_cast<std::uint32_t>(count);
  items_.resize(frame.first);
  frames_.pop_back();
  return true;
}

// From the innermost open object or array outwards: each one's current member or item is the last on its
// stack before those of the frames inside it.
std::string TreeBuilder::Pointer() const {
  std::size_t member_end = members_.size();
  std::size_t item_end = items_.size();
  std::vector<std::string> tokens;
  for (std::size_t i = frames_.size(); i-- > 0;) {
    const Frame& frame = frames_[i];
    std::string& token = tokens.emplace_back();
    if (frame.node->is_object()) {
      if (member_end > frame.first) AppendPointerToken(members_[member_end - 1].name, token);
      member_end = frame.first;
    } else {
      // An open container is already among the items; a value that fails is not yet.
      const bool innermost = i + 1 == frames_.size();
      AppendPointerIndex(item_end - frame.first - (innermost ? 0 : 1), token);
      item_end = frame.first;
    }
  }
  std::string pointer;
  for (std::size_t i = tokens.size(); i-- > 0;) pointer += tokens[i];
  return pointer;
}

// The text is valid UTF-8, so a surrogate in the result can only come from an escape.
bool TreeBuilder::HasLoneSurrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && (static_cast<unsigned char>(text[at + 1]) & 0xE0) == 0xA0) return true;
  }
  return false;
}

// Points at the escape itself. RapidJSON refuses a lone high surrogate, so it is the first low one that does
// not follow a high one.
bool TreeBuilder::FailAtSurrogate() {
  const char* at = text_.data() + token_offset() + 1;
  const char* const end = text_.data() + stream_.Tell();
  const auto hex_digit_is = [](char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
  };
  while (at < end) {
    if (*at != '\\') {
      ++at;
      continue;
    }
    const bool surrogate = at[1] == 'u' && (at[2] == 'd' || at[2] == 'D');
    if (surrogate && hex_digit_is(at[3], "89abAB")) {
      at += 12;  // a pair
    } else if (surrogate && hex_digit_is(at[3], "cdefCDEF")) {
      break;
    } else {
      at += 2;
    }
  }
  return FailAt(static_cast<std::size_t>(at - text_.data()), Code::kEncoding,
                "a surrogate escape without its partner");
}

std::string SyntaxMessage(rapidjson::ParseErrorCode code, bool at_end) {
  if (at_end && code != rapidjson::kParseErrorDocumentEmpty) return "the text ends too early";
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return at_end ? "the document is empty" : "a value is expected";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "nothing may follow the value";
    case rapidjson::kParseErrorObjectMissName:
      return "a member name in quotes is expected";
    case rapidjson::kParseErrorObjectMissColon:
      return "a colon is expected after the member name";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "a comma or } is expected";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "a comma or ] is expected";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "four hexadecimal digits are expected after \\u";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "an unknown escape, or a control character that is not escaped";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "the string is not closed";
    case rapidjson::kParseErrorNumberMissFraction:
      return "a digit is expected after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent:
      return "a digit is expected in the exponent";
    default:
      return "a value is expected";
  }
}

Error ParseError(std::string_view text, std::size_t offset, rapidjson::ParseErrorCode code,
                 std::string pointer) {
  Location where = LocationAt(text, offset, std::move(pointer));
  if (code == rapidjson::kParseErrorStringUnicodeSurrogateInvalid) {
    return Error{Code::kEncoding, "a surrogate escape without its partner", std::move(where)};
  }
  if (code == rapidjson::kParseErrorNumberTooBig) {
    return Error{Code::kLimit, "a number beyond 10^308", std::move(where)};
  }
  if (offset < text.size() && text[offset] == '\0') {
    return Error{Code::kJsonSyntax, "a NUL byte", std::move(where)};
  }
  return Error{Code::kJsonSyntax, SyntaxMessage(code, offset >= text.size()), std::move(where)};
}

// Positions are counted from `text`, which has no byte order mark.
Result<Node*> Parse(std::string_view text, Arena& arena, const JsonLimits& limits) {
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseInsituFlag;
  char* const copy = arena.MakeRoom<char>(text.size() + 1);
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  TextStream stream(copy, text.size());
  TreeBuilder builder(text, stream, arena, limits);
  RapidJsonAllocator memory(arena);
  JsonReader reader(&memory);
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (builder.failed()) return Fail(builder.TakeError());
  if (result.IsError()) return Fail(ParseError(text, result.Offset(), result.Code(), builder.Pointer()));
  if (stream.Tell() != text.size()) {
    return Fail(ParseError(text, stream.Tell(), rapidjson::kParseErrorDocumentRootNotSingular, {}));
  }
  return builder.root();
}

}  // namespace

Result<Node*> ReadJson(std::string_view text, Arena& arena, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Fail(Code::kLimit, "more than " + std::to_string(limits.bytes_max) + " bytes");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const std::size_t bad = FindInvalidUtf8(text); bad != text.size()) {
    return Fail(Code::kEncoding, "the bytes are not UTF-8", LocationAt(text, bad, {}));
  }
  return Parse(text, arena, limits);
}

}  // namespace fhir_adapter::fhir
