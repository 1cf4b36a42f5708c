// The commands, each with the options that its command line gives it. Each returns an exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/streams.h"

namespace fhir_adapter::app {

// What every command shares.
struct GlobalOptions {
  std::string configuration_file;  // empty: the defaults
  std::string log_level;           // empty: as configured
  bool json = false;
};

// The configuration of `--config`, or the defaults with the environment's overrides.
Result<Configuration> ConfigurationOf(const GlobalOptions& global);

struct MapOptions {
  std::string map = "procedure-record";  // name, url or file
  std::string map_directory;             // empty: configured or shipped
  std::string model_directory;
  std::string columns = "record-paths";  // how tables are read: a name or a file
  std::string format = "bundle";
  bool raw = false;
  std::vector<std::string> inputs;
};
int RunMap(const GlobalOptions& global, const MapOptions& options, const Streams& streams);

struct ConvertOptions {
  std::string file;
  std::string form;  // text, r4, r5; empty: text from a StructureMap, r4 from a text
};
int RunConvert(const ConvertOptions& options, const Streams& streams);
// A ConceptMap as a table (CSV) or, from a table, as a resource.
int RunTerminology(const std::string& file, const Streams& streams);

struct MapTestOptions {
  std::string directory;  // of the cases, which are looked for below it; empty: the maps in force
  std::string map_directory;
  std::string model_directory;
  std::string junit_file;  // empty: none is written
  bool update = false;
  bool coverage = false;
};
int RunMapTest(const GlobalOptions& global, const MapTestOptions& options, const Streams& streams);

struct MapInitOptions {
  std::string sample;
  std::string name;           // of the map; empty: that of the sample
  std::string map_directory;  // what is written into; empty: a new folder called like the map
  std::string record_id;      // column or path of what names a record; empty: as it looks
  std::string patient;        // likewise of the patient's number
};
int RunMapInit(const GlobalOptions& global, const MapInitOptions& options, const Streams& streams);

struct MapDiffOptions {
  std::string against;                   // folder of the maps that are compared with
  std::string map = "procedure-record";  // name, url or file; in both folders
  std::string map_directory;             // empty: configured or shipped
  std::vector<std::string> records;
};
int RunMapDiff(const GlobalOptions& global, const MapDiffOptions& options, const Streams& streams);

struct ExplainOptions {
  std::string map = "procedure-record";
  std::string map_directory;
  std::string model_directory;
  std::string columns = "record-paths";
  std::string element;  // only this element and what is below it
  std::string input;
};
int RunExplain(const GlobalOptions& global, const ExplainOptions& options, const Streams& streams);

struct CheckOptions {
  std::string map_directory;
  std::string model_directory;
  std::vector<std::string> maps;
  bool connect = false;  // ask the FHIR server
  std::string patient;   // its number, to be searched there
};
int RunCheck(const GlobalOptions& global, const CheckOptions& options, const Streams& streams);

// `check --connect`.
int RunConnectCheck(const Configuration& configuration, const std::string& mrn, bool json,
                    const Streams& streams);

struct FhirPathOptions {
  std::string expression;
  std::string resource;
  std::string batch;  // a file of requests; then the other two are empty
};
int RunFhirPath(const GlobalOptions& global, const FhirPathOptions& options, const Streams& streams);

struct SandboxCommandOptions {
  std::uint16_t port = 8630;
  std::string store;  // empty: in memory
  std::string like;   // a name of sandbox::BehaviourLike; empty: what R4 says
  std::vector<std::string> faults;
};
int RunSandbox(const GlobalOptions& global, const SandboxCommandOptions& options, const Streams& streams);

int RunServe(const GlobalOptions& global, const Streams& streams);

struct SubmitOptions {
  std::string to;          // empty: the configured [http] listen
  std::string token_file;  // empty: no token is sent
  std::string ca_file;     // of an https daemon; empty: the authorities of the system
  std::string client_certificate_file;
  std::string client_key_file;
  std::vector<std::string> files;
};
int RunSubmit(const GlobalOptions& global, const SubmitOptions& options, const Streams& streams);

struct QueueOptions {
  std::string action;  // stats, list, show, retry, release, quarantine, link, unlink
  std::vector<std::string> ids;
  std::string reason;
  std::string state;    // list: only this state
  std::string patient;  // link: "Patient/x"
  bool ours = false;    // release: the clinic's side of a conflict goes over the other's
  bool theirs = false;  // release: the other's side stays
};
int RunQueue(const GlobalOptions& global, const QueueOptions& options, const Streams& streams);

struct TokenOptions {
  std::string action;  // create, list, revoke
  std::string name;
  std::vector<std::string> roles;
  std::string reason;
  std::int64_t days = 0;           // create: until it ends; 0: it does not
  std::string certificate_file{};  // create: the client certificate that it is bound to
};
int RunToken(const GlobalOptions& global, const TokenOptions& options, const Streams& streams);

struct EraseOptions {
  std::vector<std::string> records;  // record id, site/record id or receipt
  std::string reason;
};
int RunErase(const GlobalOptions& global, const EraseOptions& options, const Streams& streams);

struct AuditOptions {
  std::string action;         // verify, prove, export
  std::int64_t sequence = 0;  // prove: the entry's number
  std::string folder;         // export: where to; verify: an exported log instead of the store
  std::string key;            // a verifier key or its file; empty: the one beside the store
  std::string since;          // verify: file with a checkpoint that was kept elsewhere
  std::string checkpoints;    // verify: another file of checkpoints, as a witness keeps it
};
int RunAudit(const GlobalOptions& global, const AuditOptions& options, const Streams& streams);

struct TraceOptions {
  std::string selector;
  std::string element;    // whose lineage is wanted; empty: none
  std::string html_file;  // empty: text, or with --json a line a record
  bool live = false;      // ask the server what it holds now
};
int RunTrace(const GlobalOptions& global, const TraceOptions& options, const Streams& streams);

struct ReconcileOptions {
  std::string since;    // a date or time; empty: whenever
  std::string patient;  // number of the only patient; empty: all
  bool repair = false;
  bool adopt = false;
  std::string reason;
};
int RunReconcile(const GlobalOptions& global, const ReconcileOptions& options, const Streams& streams);

struct RemapOptions {
  std::string since;             // a date or time; empty: whenever
  std::string site;              // empty: of all
  std::vector<std::string> ids;  // recordId or site/recordId; none: all
  std::string reason;
  bool apply = false;
};
int RunRemap(const GlobalOptions& global, const RemapOptions& options, const Streams& streams);

int RunBackup(const GlobalOptions& global, const std::string& file, const Streams& streams);
struct RestoreOptions {
  std::string file;
  bool check_only = false;
};
int RunRestore(const GlobalOptions& global, const RestoreOptions& options, const Streams& streams);

}  // namespace fhir_adapter::app
