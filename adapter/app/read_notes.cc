#include "app/read_notes.h"

#include <filesystem>
#include <span>
#include <utility>

#include "app/control_socket.h"
#include "app/http_call.h"
#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

constexpr std::size_t kBodyBytesMax = 2'000'000;  // of as many records as `trace` shows
constexpr long kNoContent = 204;

}  // namespace

std::string ToJson(const ReadNote& note) {
  std::string json = "{\"command\":" + JsonString(note.command) + ",\"subjects\":[";
  for (const ReadSubject& subject : note.subjects) {
    if (json.back() != '[') json += ",";
    json += "{\"site\":" + JsonString(subject.site) + ",\"record\":" + JsonString(subject.record_id) + "}";
  }
  return json + "]}";
}

Result<ReadNote> ParseReadNote(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  ReadNote note{MemberString(*root, "command"), {}};
  const fhir::Node* subjects = root->Find("subjects");
  for (const fhir::Node* subject : subjects == nullptr ? std::span<fhir::Node*>() : subjects->items()) {
    note.subjects.push_back({MemberString(*subject, "site"), MemberString(*subject, "record")});
  }
  if (note.command.empty() || note.subjects.empty()) {
    return Fail(Code::kUsage, "a reading has a command and subjects");
  }
  if (note.subjects.size() > limits::kQueuePageEntriesMax) return Fail(Code::kLimit, "too many subjects");
  return note;
}

net::Route ReadControlRoute(AccessNotes& notes) {
  net::Route route{"POST", "/control/read", {Role::kOperator, Role::kAuditor}, false, {}, kBodyBytesMax};
  route.handler = [&notes](const net::HttpRequest& request, const net::Responder& responder) {
    const auto note = ParseReadNote(request.body);
    if (!note) return responder.Send(note.error());
    notes.TakeReads(request.principal, note->command, note->subjects, [responder](const Result<void>& noted) {
      if (!noted) return responder.Send(noted.error());
      net::HttpResponse response;
      response.status = kNoContent;
      responder.Send(std::move(response));
    });
  };
  return route;
}

void NoteRead(const Configuration& configuration, const ReadNote& note, const Streams& streams) {
  HttpCall call;
  call.unix_socket_path = ControlSocketPath(configuration);
  if (!std::filesystem::exists(call.unix_socket_path)) {
    streams.err << "no daemon runs on this store: the log has no entry of this reading\n";
    return;
  }
  call.method = "POST";
  call.url = "http://localhost/control/read";
  call.content_type = "application/json";
  call.body = ToJson(note);
  const auto answer = Perform(call);
  if (answer && answer->status == kNoContent) return;
  streams.err << "the log has no entry of this reading: "
              << (answer ? "the daemon answered HTTP " + std::to_string(answer->status)
                         : ToString(answer.error()))
              << "\n";
}

}  // namespace fhir_adapter::app
