// `fhir-adapter check --connect`: can the FHIR server be reached and used as it is configured? Writes
// nothing.
#include <algorithm>
#include <future>
#include <utility>

#include "app/certificate_watch.h"
#include "app/commands.h"
#include "app/endpoint_setup.h"
#include "app/mapping_setup.h"
#include "app/sql_setup.h"
#include "core/limits.h"
#include "net/http_message.h"
#include "sync/delivery_ladder.h"
#include "sync/paced_client.h"
#include "sync/patient_matcher.h"
#include "sync/resource_identity.h"
#include "sync/server_capabilities.h"
#include "sync/smart_credentials.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

enum class Outcome : std::uint8_t { kGood, kWarning, kFailed };

// What is found out, a line each.
class Findings {
 public:
  Findings(const Streams& streams, bool json) : streams_(streams), json_(json) {}

  void Add(Outcome outcome, const std::string& check, const std::string& message,
           std::string_view help = {}) {
    constexpr const char* kNames[] = {"ok", "warning", "failed"};
    const char* name = kNames[static_cast<std::size_t>(outcome)];
    if (outcome == Outcome::kFailed) status_ = std::max(status_, static_cast<int>(kExitRejected));
    if (json_) {
      streams_.out << "{\"check\":" << JsonString(check) << ",\"outcome\":" << JsonString(name)
                   << ",\"message\":" << JsonString(message) << ",\"help\":" << JsonString(help) << "}\n";
      return;
    }
    streams_.out << check << ": " << name << ": " << message
                 << (help.empty() ? "" : " (" + std::string(help) + ")") << "\n";
  }
  void Unreachable() { status_ = kExitUnreachable; }
  int status() const { return status_; }

 private:
  const Streams& streams_;
  const bool json_;
  int status_ = kExitDone;
};

bool IsOnThisMachine(const std::string& url) {
  const std::string host = url.substr(url.find("://") + 3);
  return host.starts_with("127.0.0.1") || host.starts_with("localhost") || host.starts_with("[::1]");
}

void CheckCertificate(const sync::TlsSettings& tls, Findings& findings) {
  if (tls.client_certificate_file.empty()) return;
  const auto end_s = sync::CertificateEnd(tls.client_certificate_file);
  if (!end_s) {
    return findings.Add(Outcome::kFailed, "client certificate", end_s.error().message,
                        "[endpoint] client_certificate_file");
  }
  const std::int64_t left_s = *end_s - SystemClock().Now().us / 1'000'000;
  const std::string end = "ends " + ToString(TimeUs{*end_s * 1'000'000});
  if (left_s <= 0) return findings.Add(Outcome::kFailed, "client certificate", end, "have a new one made");
  findings.Add(left_s > kCertificateWarningDays * 86'400 ? Outcome::kGood : Outcome::kWarning,
               "client certificate", end);
}

// False: nothing that follows can work.
bool CheckToken(const sync::CurlClientSettings& settings, Findings& findings) {
  if (settings.credentials.kind != sync::CredentialSettings::Kind::kSmartBackend) return true;
  sync::SmartCredentials credentials(settings.credentials, settings.base_url, settings.tls, SystemClock());
  const auto obtained = credentials.Obtain();
  if (!obtained) {
    const bool is_answer = obtained.error().code == Code::kUnauthorized;
    findings.Add(Outcome::kFailed, "token", obtained.error().message,
                 is_answer ? "" : Describe(obtained.error().code).help);
    if (obtained.error().code == Code::kUnreachable || obtained.error().code == Code::kTimeout) {
      findings.Unreachable();
    }
    return false;
  }
  findings.Add(Outcome::kGood, "token", "granted with the scope wanted");
  return true;
}

// Whether a server is there that lets us in.
bool CheckTransport(const std::string& base_url, const sync::FhirAnswer& answer, Findings& findings) {
  if (answer.transport != sync::Transport::kAnswered) {
    findings.Add(Outcome::kFailed, answer.failure == Code::kTls ? "tls" : "connection",
                 base_url + ": " + std::string(Name(answer.failure)), Describe(answer.failure).help);
    findings.Unreachable();
    return false;
  }
  if (base_url.starts_with("https://")) {
    findings.Add(Outcome::kGood, "tls", "TLS 1.2 or newer, certificate and host name verified");
  } else {
    findings.Add(IsOnThisMachine(base_url) ? Outcome::kGood : Outcome::kWarning, "tls", "none: plain http",
                 IsOnThisMachine(base_url) ? "" : "use https outside this machine");
  }
  if (answer.status == 401 || answer.status == 403 || answer.status == 407) {
    findings.Add(Outcome::kFailed, "access", "HTTP " + std::to_string(answer.status),
                 Describe(Code::kUnauthorized).help);
    return false;
  }
  if (answer.status >= 300 && answer.status < 400) {
    findings.Add(Outcome::kFailed, "access",
                 "HTTP " + std::to_string(answer.status) + ", a redirect: it is not followed",
                 "set [endpoint] base_url to where it leads, if you trust that");
    return false;
  }
  return true;
}

void CheckRung(const sync::ServerCapabilities& capabilities, const std::string& profile, Findings& findings) {
  if (profile != "auto") return findings.Add(Outcome::kGood, "rung", profile + ": [endpoint] profile");
  const sync::RungChoice choice = sync::ChooseRung(capabilities);
  const std::string rung(sync::Name(choice.rung));
  if (choice.reason == sync::RungReason::kNotSaid) {
    findings.Add(Outcome::kGood, "rung", rung + ": the server does not say, so it is tried");
  } else if (choice.rung == sync::Rung::kSingle) {
    findings.Add(Outcome::kWarning, "rung",
                 rung +
                     ": the server lists neither transaction nor batch; a record that is refused midway "
                     "stands there in part until it is corrected");
  } else if (choice.rung == sync::Rung::kBatch) {
    findings.Add(Outcome::kWarning, "rung",
                 rung +
                     ": the server lists no transaction; a record of which an entry is refused stands "
                     "there in part until it is corrected");
  } else {
    findings.Add(Outcome::kGood, "rung", rung + ": the server lists it");
  }
}

// How new resources would get there.
void CheckCreation(const sync::ServerCapabilities& capabilities, Findings& findings) {
  sync::CreateForms forms;
  forms.Learn(capabilities);
  std::string posted;
  for (const sync::PostedType& one : forms.posted()) posted += (posted.empty() ? "" : ", ") + one.type;
  std::string untold;
  for (const std::string& type : forms.untold()) untold += (untold.empty() ? "" : ", ") + type;
  if (!posted.empty()) {
    findings.Add(Outcome::kGood, "new resources",
                 "named by the server (it says updateCreate or conditionalUpdate false): " + posted +
                     "; each is looked for before it is sent");
  }
  if (!untold.empty()) {
    findings.Add(
        Outcome::kGood, "new resources",
        "under identifiers of ours; the server does not say whether it takes them, so it is tried: " +
            untold);
  }
  if (posted.empty() && untold.empty()) {
    findings.Add(Outcome::kGood, "new resources", "under identifiers of ours: the server lists it");
  }
}

void CheckMetadata(const sync::FhirAnswer& answer, const std::string& profile, Findings& findings) {
  const auto capabilities = sync::ReadCapabilities(answer.body);
  if (answer.status != 200 || !capabilities) {
    return findings.Add(Outcome::kFailed, "metadata",
                        "HTTP " + std::to_string(answer.status) + ", no CapabilityStatement",
                        "[endpoint] base_url must be the base of a FHIR R4 server, without /metadata");
  }
  findings.Add(capabilities->is_r4() ? Outcome::kGood : Outcome::kFailed, "metadata",
               "FHIR " + capabilities->fhir_version + ", " + capabilities->software,
               capabilities->is_r4() ? "" : "FHIR 4.0.1 is needed");
  CheckRung(*capabilities, profile, findings);
  CheckCreation(*capabilities, findings);
}

void CheckPatient(const Configuration& configuration, const std::string& mrn, sync::PacedClient& client,
                  Findings& findings) {
  sync::PatientMatcher matcher(client, SystemClock(), {configuration.PatientIdentifierSystem()});
  outbox::PatientReference patient;
  patient.key = "check";
  patient.mrn = mrn;
  std::promise<sync::PatientMatch> promise;
  matcher.Match(patient, {}, [&promise](sync::PatientMatch match) { promise.set_value(std::move(match)); });
  const sync::PatientMatch match = promise.get_future().get();
  const std::string system =
      "[endpoint] patient_identifier_system = \"" + configuration.PatientIdentifierSystem() + "\"";
  switch (match.outcome) {
    case sync::PatientMatch::Outcome::kFound:
      return findings.Add(Outcome::kGood, "patient", "found as " + match.reference);
    case sync::PatientMatch::Outcome::kHeld:
      return findings.Add(Outcome::kFailed, "patient", std::string(Name(match.held)),
                          std::string(Describe(match.held).help) + "; " + system);
    case sync::PatientMatch::Outcome::kFailed:
      return findings.Add(Outcome::kFailed, "patient",
                          "the search failed: HTTP " + std::to_string(match.answer.status) + ", " +
                              std::string(Name(match.classification.code)),
                          "the server must let us search Patient by identifier");
  }
}

// The search itself, when no patient was named: somebody must be allowed to look, and nobody need be found.
void CheckSearch(const Configuration& configuration, sync::PacedClient& client, Findings& findings) {
  sync::FhirRequest request;
  request.kind = sync::RequestKind::kPatientSearch;
  request.path = "Patient?identifier=" +
                 sync::SearchToken(configuration.PatientIdentifierSystem(), "fhir-adapter-check") +
                 "&_count=1";
  const sync::FhirAnswer answer = client.Ask(std::move(request));
  if (answer.status == 200) {
    return findings.Add(Outcome::kGood, "patient search", "allowed; name one with --patient to see it found");
  }
  findings.Add(Outcome::kFailed, "patient search", "HTTP " + std::to_string(answer.status),
               "the server must let us search Patient by identifier");
}

// Whether a database can be read, and its columns are those that the columns file speaks of.
Result<std::string> TrySource(const SourceSettings& source, const Configuration& configuration) {
  ADAPTER_TRY(const std::string directory, MappingsDirectory("", configuration));
  ADAPTER_TRY(std::vector<fml::SourceFile> files, ReadMappingSetFiles(directory, ""));
  std::vector<fml::Finding> ignored;
  const auto set =
      pipeline::MappingSet::Build(std::move(files), MappingSettingsOf(configuration, source.map), ignored);
  if (!set) return Fail(Code::kConfiguration, "the maps have errors: see `check`");
  ADAPTER_TRY(const auto layout, LoadSqlColumns(source, configuration, set->model()));
  return intake::TrySqlSource(SqlSettingsOf(source, configuration, layout.get()));
}

bool CheckSources(const Configuration& configuration, Findings& findings) {
  bool has_any = false;
  for (const SourceSettings& source : configuration.sources) {
    if (source.kind != kSqlKind) continue;
    has_any = true;
    const auto tried = TrySource(source, configuration);
    const std::string check = "source " + source.name;
    if (tried) {
      findings.Add(Outcome::kGood, check, *tried);
      continue;
    }
    const Code code = tried.error().code;
    findings.Add(Outcome::kFailed, check, std::string(Name(code)) + ": " + tried.error().message);
    if (code == Code::kUnreachable || code == Code::kTimeout || code == Code::kTls) findings.Unreachable();
  }
  return has_any;
}

}  // namespace

int RunConnectCheck(const Configuration& configuration, const std::string& mrn, bool json,
                    const Streams& streams) {
  Findings findings(streams, json);
  const bool has_sources = CheckSources(configuration, findings);
  if (configuration.endpoint.base_url.empty()) {
    if (has_sources) return findings.status();
    return Report(
        Error{Code::kConfiguration, "[endpoint] base_url is empty: there is no server to check", {}},
        streams);
  }
  sync::CurlClientSettings settings = ClientSettingsOf(configuration);
  const auto curl = sync::CurlClient::Make(settings);
  if (!curl) return Report(curl.error(), streams);
  settings.base_url = (*curl)->base_url();
  CheckCertificate(settings.tls, findings);
  if (!CheckToken(settings, findings)) return findings.status();
  sync::PacedClient client(**curl, SystemClock(), limits::kPacedRequestsPerSecondMax);
  sync::FhirRequest request;
  request.kind = sync::RequestKind::kMetadata;
  request.path = "metadata";
  const sync::FhirAnswer metadata = client.Ask(std::move(request));
  if (!CheckTransport(settings.base_url, metadata, findings)) return findings.status();
  CheckMetadata(metadata, configuration.endpoint.profile, findings);
  if (mrn.empty()) {
    CheckSearch(configuration, client, findings);
  } else {
    CheckPatient(configuration, mrn, client, findings);
  }
  return findings.status();
}

}  // namespace fhir_adapter::app
