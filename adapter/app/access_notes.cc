#include "app/access_notes.h"

#include <iterator>
#include <utility>

#include "core/limits.h"
#include "core/log.h"
#include "outbox/inbox.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kTooManyRequests = 429;

void Add(std::vector<audit::Entry> more, std::vector<audit::Entry>& entries) {
  std::ranges::move(more, std::back_inserter(entries));
}

// The route, never the path: a path may hold anything.
std::string OperationOf(const net::HttpExchange& exchange) {
  return exchange.pattern.empty() ? exchange.method : exchange.method + " " + exchange.pattern;
}

std::string ParameterOf(const net::HttpRequest& head, std::string_view name) {
  for (const net::QueryParameter& parameter : head.path_parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return {};
}

audit::Entry EntryOf(audit::EventKind event, const Principal& actor, std::string operation, TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = event;
  entry.actor = actor;
  entry.operation = std::move(operation);
  entry.outcome = "ok";
  return entry;
}

std::string TraceOf(const ReadSubject& subject) {
  const std::string_view record = subject.record_id;
  if (record.empty()) return {};
  return audit::TraceOfSubject(
      record.starts_with(outbox::kPushedRecordPrefix)
          ? outbox::PushedSubjectKey(subject.site, record.substr(outbox::kPushedRecordPrefix.size()))
          : outbox::SubjectKey(subject.site, record));
}

}  // namespace

AccessNotes::AccessNotes(std::string site, Clock& clock, Append append)
    : site_(std::move(site)),
      clock_(clock),
      append_(std::move(append)),
      uses_(kDayUs, limits::kNotedTokenUsesMax),
      refusals_(kHourUs, limits::kNotedRefusalsMax),
      reads_(kHourUs, limits::kNotedReadsMax) {}

void AccessNotes::Send(std::vector<audit::Entry> entries) {
  if (entries.empty()) return;
  append_(std::move(entries), [](const Result<void>& done) {
    if (!done) LogEvent(LogLevel::kError, "access-not-noted", {{"code", Name(done.error().code)}});
  });
}

void AccessNotes::AddRead(const Principal& reader, const std::string& operation, const ReadSubject& subject,
                          std::vector<audit::Entry>& entries) {
  audit::Entry entry = EntryOf(audit::EventKind::kRead, reader, operation, clock_.Now());
  entry.role = Name(Role::kAuditor);
  if (!subject.record_id.empty()) {
    entry.trace_id = TraceOf(subject);
    entry.local = audit::LocalReference{subject.site, subject.record_id, 0, {}};
  }
  const std::string key = reader.id + "\n" + reader.client_address + "\n" + operation + "\n" + subject.site +
                          "\n" + subject.record_id;
  Add(reads_.Take(key, entry, clock_.MonotonicUs()), entries);
}

void AccessNotes::TakeExchange(const net::HttpExchange& exchange, const net::HttpRequest& head) {
  const Principal& who = head.principal;
  const bool is_refused = exchange.status == kUnauthorized || exchange.status == kForbidden;
  const bool is_known = who.kind == ActorKind::kCredential;
  if (!is_refused && (!is_known || exchange.status == kTooManyRequests)) return;
  std::vector<audit::Entry> entries;
  {
    const std::scoped_lock lock(mutex_);
    const std::string client = who.authentication + "\n" + who.id + "\n" + who.client_address;
    audit::Entry entry = EntryOf(is_refused ? audit::EventKind::kTokenRefused : audit::EventKind::kTokenUsed,
                                 who, OperationOf(exchange), clock_.Now());
    entry.status = exchange.status;
    if (is_refused) {
      entry.outcome = Name(is_known ? Code::kForbidden : Code::kUnauthorized);
      Add(refusals_.Take(client, entry, clock_.MonotonicUs()), entries);
    } else {
      Add(uses_.Take(client, entry, clock_.MonotonicUs()), entries);
      const bool is_auditor = who.roles == RoleSet{Role::kAuditor};
      const std::string record = ParameterOf(head, "recordId");
      const std::string id = ParameterOf(head, "id");
      if (is_auditor && exchange.status == 200 && !record.empty()) {
        AddRead(who, OperationOf(exchange), {ParameterOf(head, "site"), record}, entries);
      } else if (is_auditor && exchange.status == 200 && !id.empty()) {
        AddRead(who, OperationOf(exchange), {site_, std::string(outbox::kPushedRecordPrefix) + id}, entries);
      }
    }
  }
  Send(std::move(entries));
}

void AccessNotes::TakeReads(const Principal& reader, const std::string& command,
                            const std::vector<ReadSubject>& subjects, Done done) {
  std::vector<audit::Entry> entries;
  {
    const std::scoped_lock lock(mutex_);
    for (const ReadSubject& subject : subjects) AddRead(reader, command, subject, entries);
  }
  if (entries.empty()) return done({});
  append_(std::move(entries), std::move(done));
}

void AccessNotes::Look() {
  std::vector<audit::Entry> entries;
  {
    const std::scoped_lock lock(mutex_);
    for (NoteWindow* window : {&uses_, &refusals_, &reads_}) {
      Add(window->Due(clock_.Now(), clock_.MonotonicUs()), entries);
    }
  }
  Send(std::move(entries));
}

void AccessNotes::Close() {
  std::vector<audit::Entry> entries;
  {
    const std::scoped_lock lock(mutex_);
    for (NoteWindow* window : {&uses_, &refusals_, &reads_}) Add(window->Close(clock_.Now()), entries);
  }
  Send(std::move(entries));
}

}  // namespace fhir_adapter::app
