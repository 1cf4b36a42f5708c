#include "audit/audit_entry.h"

#include "core/digest.h"

namespace fhir_adapter::audit {
namespace {

constexpr std::size_t kTraceIdCharacters = 32;  // as a W3C trace id

// Writes members one after the other; empty and zero ones are left out.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  void Text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    Name(name);
    Quote(value);
  }
  void Number(std::string_view name, std::int64_t value) {
    if (value == 0) return;
    Name(name);
    out_ += std::to_string(value);
  }
  // The value is written by the caller.
  void Name(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;  // ours: nothing to escape
    out_ += "\":";
  }

 private:
  void Quote(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out_ += '"';
    std::size_t begin = 0;  // of what needs no escape and is written as a whole
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte >= 0x20 && byte != 0x7F && byte != '"' && byte != '\\') continue;
      out_ += text.substr(begin, i - begin);
      begin = i + 1;
      if (byte == '"' || byte == '\\') {
        out_ += '\\';
        out_ += text[i];
      } else {
        out_ += "\\u00";
        out_ += kDigits[byte >> 4];
        out_ += kDigits[byte & 0xF];
      }
    }
    out_ += text.substr(begin);
    out_ += '"';
  }

  std::string& out_;
};

void WriteActor(const Entry& entry, std::string& out, ObjectWriter& object) {
  object.Name("actor");
  ObjectWriter actor(out);
  actor.Text("kind", Name(entry.actor.kind));
  actor.Text("id", entry.actor.id);
  actor.Text("role", entry.role);
  actor.Text("auth", entry.actor.authentication);
}

void WriteClient(const Entry& entry, std::string& out, ObjectWriter& object) {
  if (entry.actor.client_address.empty() && entry.actor.client_application.empty()) return;
  object.Name("client");
  ObjectWriter client(out);
  client.Text("addr", entry.actor.client_address);
  client.Text("app", entry.actor.client_application);
}

void WriteReferences(const Entry& entry, std::string& out, ObjectWriter& object) {
  if (entry.local) {
    object.Name("local");
    ObjectWriter local(out);
    local.Text("system", entry.local->system);
    local.Text("record", entry.local->record);
    local.Number("revision", entry.local->revision);
    local.Text("commit", entry.local->commitment);
  }
  if (entry.mapping) {
    object.Name("mapping");
    ObjectWriter mapping(out);
    mapping.Text("id", entry.mapping->id);
    mapping.Text("version", entry.mapping->version);
    mapping.Text("sha256", entry.mapping->sha256);
    mapping.Text("engine", entry.mapping->engine);
  }
  if (entry.fhir) {
    object.Name("fhir");
    ObjectWriter fhir(out);
    fhir.Text("base", entry.fhir->base);
    fhir.Text("type", entry.fhir->type);
    fhir.Text("id", entry.fhir->id);
    fhir.Text("version", entry.fhir->version);
    fhir.Text("etag", entry.fhir->etag);
    fhir.Text("commit", entry.fhir->commitment);
  }
}

}  // namespace

std::string_view Name(EventKind event) {
  static constexpr std::string_view kNames[] = {
#define AUDIT_EVENT(name, text) text,
#include "audit/events.def"
#undef AUDIT_EVENT
  };
  return kNames[static_cast<std::size_t>(event)];
}

std::string TraceOfSubject(std::string_view subject_key) {
  return Sha256Hex(subject_key).substr(0, kTraceIdCharacters);
}

std::string Encode(const Entry& entry, const Position& position) {
  std::string out;
  out.reserve(1'024);  // of most
  {
    ObjectWriter object(out);
    object.Number("v", kEntryVersion);
    object.Number("seq", position.sequence);
    object.Text("time_utc", ToString(entry.time));
    object.Text("boot_id", position.boot_id);
    object.Text("event", Name(entry.event));
    object.Text("trace_id", position.trace_id);
    object.Number("trace_seq", position.trace_sequence);
    WriteActor(entry, out, object);
    WriteClient(entry, out, object);
    object.Text("request_id", entry.actor.request_id);
    object.Text("patient_token", entry.patient_token);
    WriteReferences(entry, out, object);
    object.Text("op", entry.operation);
    object.Number("attempt", entry.attempt);
    object.Text("outcome", entry.outcome);
    object.Number("status", entry.status);
    if (entry.supersedes) {
      object.Name("supersedes");
      ObjectWriter supersedes(out);
      supersedes.Number("seq", entry.supersedes->sequence);
      supersedes.Text("reason", entry.supersedes->reason);
    }
  }
  return out;
}

}  // namespace fhir_adapter::audit
