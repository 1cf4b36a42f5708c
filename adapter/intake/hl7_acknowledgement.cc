#include "intake/hl7_acknowledgement.h"

#include <algorithm>
#include <cctype>
#include <ctime>

#include "core/limits.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::size_t kNameBytes = 3;
constexpr std::size_t kDelimitersEnd = 8;  // MSH and its five delimiters
constexpr std::int64_t kSecondUs = 1'000'000;

// Fields of MSH.
constexpr std::size_t kSendingApplication = 3;
constexpr std::size_t kSendingFacility = 4;
constexpr std::size_t kReceivingApplication = 5;
constexpr std::size_t kReceivingFacility = 6;
constexpr std::size_t kMessageType = 9;
constexpr std::size_t kControlId = 10;
constexpr std::size_t kProcessingId = 11;
constexpr std::size_t kVersion = 12;
constexpr std::size_t kAcceptAcknowledgement = 15;
constexpr std::size_t kApplicationAcknowledgement = 16;
constexpr std::size_t kCharset = 18;
// Fields of BHS and FHS.
constexpr std::size_t kBatchControlId = 11;

std::string_view Component(std::string_view field, const record::Hl7Delimiters& delimiters,
                           std::size_t number) {
  field = field.substr(0, field.find(delimiters.repetition));
  for (; number > 1; --number) {
    const std::size_t end = field.find(delimiters.component);
    if (end == std::string_view::npos) return {};
    field.remove_prefix(end + 1);
  }
  return field.substr(0, field.find(delimiters.component));
}

std::string Escaped(std::string_view text, const record::Hl7Delimiters& delimiters) {
  std::string out;
  const auto escape = [&](char name) { (out += delimiters.escape) += std::string{name, delimiters.escape}; };
  for (const char c : text) {
    if (c == delimiters.field) {
      escape('F');
    } else if (c == delimiters.component) {
      escape('S');
    } else if (c == delimiters.subcomponent) {
      escape('T');
    } else if (c == delimiters.repetition) {
      escape('R');
    } else if (c == delimiters.escape) {
      escape('E');
    } else {
      out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E ? '?' : c;
    }
  }
  return out;
}

// YYYYMMDDHHMMSS+0000
std::string TimeStamp(TimeUs time) {
  const std::time_t seconds = time.us / kSecondUs;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H%M%S+0000", &parts)};
}

// One segment; fields that were not set stay empty, and the last ones away.
class Segment {
 public:
  Segment(std::string_view name, const record::Hl7Delimiters& delimiters)
      : text_(name), delimiters_(delimiters) {}

  void Set(std::size_t number, std::string_view value) {
    if (value.empty()) return;
    text_.append(number - count_, delimiters_.field).append(value);
    count_ = number;
  }
  std::string Text() const { return text_ + "\r"; }

 private:
  std::string text_;
  const record::Hl7Delimiters& delimiters_;
  std::size_t count_ = 0;  // of the last field
};

// MSH, BHS or FHS: field 1 is the delimiter itself.
std::string HeaderSegment(std::string_view name, const Hl7Header& to, TimeUs time,
                          const std::vector<std::pair<std::size_t, std::string>>& more) {
  const record::Hl7Delimiters& delimiters = to.delimiters;
  std::string text(name);
  for (const char c : {delimiters.field, delimiters.component, delimiters.repetition, delimiters.escape,
                       delimiters.subcomponent}) {
    text += c;
  }
  Segment segment(text, delimiters);
  const auto set = [&segment](std::size_t number, std::string_view value) { segment.Set(number - 2, value); };
  set(kSendingApplication, to.field[kReceivingApplication]);
  set(kSendingFacility, to.field[kReceivingFacility]);
  set(kReceivingApplication, to.field[kSendingApplication]);
  set(kReceivingFacility, to.field[kSendingFacility]);
  set(7, Escaped(TimeStamp(time), delimiters));  // its + may be one of them
  for (const auto& [number, value] : more) set(number, value);
  return segment.Text();
}

// Whether MSH-15 or MSH-16 asks for an answer (table 0155).
bool IsWanted(std::string_view condition, Hl7Verdict verdict) {
  if (condition.empty() || condition == "NE") return false;
  if (condition == "ER") return verdict != Hl7Verdict::kAccept;
  if (condition == "SU") return verdict == Hl7Verdict::kAccept;
  return true;
}

// MSA-1. Empty: no answer is wanted.
std::string AcknowledgementCode(const Hl7Header& header, Hl7Verdict verdict) {
  const char what = verdict == Hl7Verdict::kAccept ? 'A' : verdict == Hl7Verdict::kError ? 'E' : 'R';
  const std::string accept = header.Text(kAcceptAcknowledgement);
  const std::string application = header.Text(kApplicationAcknowledgement);
  if (accept.empty() && application.empty()) return {'A', what};
  if (IsWanted(accept, verdict)) return {'C', what};
  return IsWanted(application, verdict) ? std::string{'A', what} : std::string();
}

struct ErrorText {
  std::string_view code;
  std::string_view text;
};

// Table 0357.
ErrorText ErrorOf(const Issue& issue) {
  const std::string& place = issue.where.pointer;
  if (issue.code == Code::kNotSupported && place == "MSH-11") return {"202", "Unsupported processing id"};
  if (issue.code == Code::kNotSupported && place == "MSH-12") return {"203", "Unsupported version id"};
  switch (issue.code) {
    case Code::kNotSupported:
      return {"200", "Unsupported message type"};
    case Code::kMissing:
    case Code::kValueMissing:
      return {"101", "Required field missing"};
    case Code::kType:
    case Code::kNotAllowed:
    case Code::kEncoding:
    case Code::kTimeAmbiguous:
    case Code::kMapFailed:
      return {"102", "Data type error"};
    case Code::kUnmappedCode:
      return {"103", "Table value not found"};
    case Code::kErased:
    case Code::kPatientUnknown:
    case Code::kWrongSite:
      return {"204", "Unknown key identifier"};
    case Code::kRevisionConflict:
      return {"205", "Duplicate key identifier"};
    default:
      return {"207", "Application internal error"};
  }
}

bool IsNameLetter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

struct Place {
  std::string segment;
  std::size_t sequence = 0;  // among the segments of this name
  std::string field;
  std::string component;
};

// How many segments of this name stand up to segment `line` (1-based).
std::size_t SequenceOf(std::string_view message, std::string_view name, std::uint32_t line) {
  std::size_t count = 0;
  for (std::uint32_t number = 1; number <= line && !message.empty(); ++number) {
    const std::size_t end = std::min(message.find('\r'), message.size());
    if (message.starts_with(name)) ++count;
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return count;
}

// Of "RXA-6", "PID-3.1", "ZZZ" or a pointer that ends with such a segment; nothing for another place.
std::optional<Place> PlaceOf(const Issue& issue, std::string_view message) {
  std::string_view text = issue.where.pointer;
  text.remove_prefix(text.rfind('/') + 1);  // npos + 1: none
  const std::string_view name = text.substr(0, kNameBytes);
  if (name.size() != kNameBytes || !std::ranges::all_of(name, IsNameLetter)) return std::nullopt;
  text.remove_prefix(kNameBytes);
  if (!text.empty() && text.front() != '-') return std::nullopt;
  Place place;
  place.segment = name;
  place.sequence = std::max<std::size_t>(SequenceOf(message, name, issue.where.line), 1);
  if (text.empty()) return place;
  text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  place.field = text.substr(0, dot);
  if (dot < text.size()) place.component = text.substr(dot + 1);
  return place;
}

std::string ErrorSegment(const Issue& issue, std::string_view message, bool is_warning,
                         const record::Hl7Delimiters& delimiters) {
  const std::string c(1, delimiters.component);
  Segment segment("ERR", delimiters);
  std::string where;
  if (const auto place = PlaceOf(issue, message)) {
    where = place->segment + c + std::to_string(place->sequence);
    if (!place->field.empty()) where += c + place->field;
    if (!place->component.empty()) where += c + c + place->component;
  }
  segment.Set(2, where);
  const ErrorText error = ErrorOf(issue);
  segment.Set(3, std::string(error.code) + c + std::string(error.text) + c + "HL70357");
  segment.Set(4, is_warning ? "W" : "E");
  segment.Set(5, Escaped(Name(issue.code), delimiters));
  const std::string& pointer = issue.where.pointer;
  segment.Set(8,
              Escaped((where.empty() && !pointer.empty() ? pointer + ": " : "") + issue.message, delimiters));
  return segment.Text();
}

std::string ErrorSegments(std::string_view message, const Hl7Answer& answer,
                          const record::Hl7Delimiters& delimiters) {
  std::string text;
  std::size_t count = 0;
  for (const Issue& issue : answer.issues) {
    if (issue.disposition() == Disposition::kNote) continue;
    if (++count > limits::kHl7ErrorsMax) break;
    text += ErrorSegment(issue, message, answer.verdict == Hl7Verdict::kAccept, delimiters);
  }
  return text;
}

}  // namespace

std::string Hl7Header::Text(std::size_t number) const {
  std::string_view value = Component(field.at(number), delimiters, 1);
  value = value.substr(0, value.find(delimiters.subcomponent));
  return record::UnescapeHl7(value, delimiters);
}

std::optional<Hl7Header> ReadHl7Header(std::string_view text) {
  text = text.substr(0, text.find_first_of("\r\n"));
  Hl7Header header;
  header.segment = text.substr(0, kNameBytes);
  const bool is_header = header.segment == "MSH" || header.segment == "BHS" || header.segment == "FHS";
  if (!is_header || text.size() < kDelimitersEnd) return std::nullopt;
  const std::string_view signs = text.substr(kNameBytes, kDelimitersEnd - kNameBytes);
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (std::ispunct(static_cast<unsigned char>(signs[i])) == 0 || signs.find(signs[i]) != i)
      return std::nullopt;
  }
  header.delimiters = {signs[0], signs[1], signs[2], signs[3], signs[4], record::Hl7Charset::kUtf8};
  header.field[1] = signs[0];
  header.field[2] = signs.substr(1);
  text.remove_prefix(kDelimitersEnd);
  // A fifth sign of MSH-2 (HL7 v2.7) is refused with the message; its other fields are where they are.
  text.remove_prefix(std::min(text.find(header.delimiters.field), text.size()));
  for (std::size_t number = 3; number < header.field.size() && !text.empty(); ++number) {
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find(header.delimiters.field), text.size());
    if (end <= limits::kHl7HeaderFieldBytesMax) {
      header.field[number] = text.substr(0, end);
    } else if (header.too_long_field == 0) {
      header.too_long_field = number;
    }
    text.remove_prefix(end);
  }
  return header;
}

Hl7Verdict VerdictOf(Code code) {
  // HL7 v2.5 2.9.2.2: what MSH-9, MSH-11 and MSH-12 name is not taken here at all.
  if (code == Code::kNotSupported) return Hl7Verdict::kReject;
  const std::string_view word = Describe(code).hl7_acknowledgement;
  return word == "AR" ? Hl7Verdict::kReject : word == "AE" ? Hl7Verdict::kError : Hl7Verdict::kAccept;
}

std::string Acknowledge(const Hl7Header& header, std::string_view message, const Hl7Answer& answer) {
  const std::string code = AcknowledgementCode(header, answer.verdict);
  if (code.empty()) return {};
  const record::Hl7Delimiters& delimiters = header.delimiters;
  const std::string c(1, delimiters.component);
  const std::string event(Component(header.field[kMessageType], delimiters, 2));
  std::string text = HeaderSegment("MSH", header, answer.time,
                                   {{kMessageType, event.empty() ? "ACK" : "ACK" + c + event + c + "ACK"},
                                    {kControlId, answer.control_id},
                                    {kProcessingId, header.field[kProcessingId]},
                                    {kVersion, header.field[kVersion]},
                                    {kCharset, header.field[kCharset]}});
  Segment acknowledgement("MSA", delimiters);
  acknowledgement.Set(1, code);
  acknowledgement.Set(2, header.field[kControlId]);
  if (answer.verdict != Hl7Verdict::kAccept && !answer.issues.empty()) {
    acknowledgement.Set(3, Escaped(answer.issues.front().message, delimiters));
  }
  return text + acknowledgement.Text() + ErrorSegments(message, answer, delimiters);
}

std::string AcknowledgeUnreadable(const Hl7Answer& answer) {
  Hl7Header header;
  header.field[kProcessingId] = "P";
  header.field[kVersion] = "2.5";
  return Acknowledge(header, {}, answer);
}

std::string AcknowledgeBatch(const std::vector<Hl7Header>& headers, const std::vector<std::string>& answers,
                             TimeUs time) {
  std::string text;
  for (const Hl7Header& header : headers) {
    text += HeaderSegment(header.segment, header, time, {{12, header.field[kBatchControlId]}});
  }
  std::size_t count = 0;
  for (const std::string& answer : answers) {
    if (!answer.empty()) ++count;
    text += answer;
  }
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    const bool is_batch = header->segment == "BHS";
    Segment trailer(is_batch ? "BTS" : "FTS", header->delimiters);
    trailer.Set(1, is_batch ? std::to_string(count) : "1");
    text += trailer.Text();
  }
  return text;
}

}  // namespace fhir_adapter::intake
