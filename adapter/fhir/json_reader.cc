#include "fhir/json_reader.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>
#include <set>
#include <vector>

#include "fhir/json_pointer.h"
#include "fhir/utf8.h"

namespace fhir_adapter::fhir {
namespace {

// RapidJSON's input stream over the text. It remembers where each token began: RapidJSON skips white space
// right before every token, and argument-dependent lookup takes it to the SkipWhitespace below.
struct TextStream {
  using Ch = char;

  const char* begin;
  const char* current;
  const char* end;
  const char* token;

  // RapidJSON takes NUL for the end; a NUL inside the text is found by Parse, below.
  Ch Peek() const { return current == end ? '\0' : *current; }
  Ch Take() { return current == end ? '\0' : *current++; }
  std::size_t Tell() const { return static_cast<std::size_t>(current - begin); }

  // For writing in place, which is not used.
  Ch* PutBegin() { std::abort(); }
  void Put(Ch) { std::abort(); }
  void Flush() { std::abort(); }
  std::size_t PutEnd(Ch*) { std::abort(); }
};

void SkipWhitespace(TextStream& stream) {
  const char* at = stream.current;
  while (at != stream.end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  stream.current = at;
  stream.token = at;
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

// Lines and columns of offsets that only grow: the text is scanned once.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  void MoveTo(std::size_t offset) {
    if (text_.empty()) return;  // an empty view may have no memory to look at
    while (const void* found = std::memchr(text_.data() + at_, '\n', offset - at_)) {
      at_ = static_cast<std::size_t>(static_cast<const char*>(found) - text_.data()) + 1;
      line_start_ = at_;
      ++line_;
    }
    at_ = offset;
  }
  std::uint32_t line() const { return line_; }
  std::uint32_t column() const { return static_cast<std::uint32_t>(at_ - line_start_ + 1); }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
};

Location LocationAt(std::string_view text, std::size_t offset, std::string pointer) {
  LineCounter counter(text);
  counter.MoveTo(offset);
  return Location{{}, counter.line(), counter.column(), std::move(pointer)};
}

// Builds the tree from RapidJSON's events. A handler that returns false ends the parse; `failure` says why.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const TextStream& stream, Arena& arena, const JsonLimits& limits)
      : text_(text),
        stream_(stream),
        arena_(arena),
        limits_(limits),
        lines_(text),
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
    if (node != nullptr) node->text = arena_.Copy({stream_.token, length});
    return node != nullptr;
  }
  bool String(const char* data, rapidjson::SizeType length, bool) {
    if (HasLoneSurrogate({data, length})) return FailAtSurrogate();
    Node* node = Value(NodeKind::kString);
    if (node != nullptr) node->text = arena_.Copy({data, length});
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

  static bool HasLoneSurrogate(std::string_view text);
  bool FailAtSurrogate();

  std::string_view text_;
  const TextStream& stream_;
  Arena& arena_;
  const JsonLimits& limits_;
  LineCounter lines_;
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
  lines_.MoveTo(token_offset());
  node->line = lines_.line();
  node->column = lines_.column();
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
  if (HasLoneSurrogate({data, length})) return FailAtSurrogate();
  const std::string_view name = arena_.Copy({data, length});
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
  const char* at = stream_.token + 1;
  const auto hex_digit_is = [](char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
  };
  while (at < stream_.current) {
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
  return FailAt(static_cast<std::size_t>(at - stream_.begin), Code::kEncoding,
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
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  TextStream stream{text.data(), text.data(), text.data() + text.size(), text.data()};
  TreeBuilder builder(text, stream, arena, limits);
  RapidJsonAllocator memory(arena);
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, RapidJsonAllocator> reader(&memory);
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
