#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "app/version.h"
#include "core/limits.h"
#include "fml/suggestion.h"

namespace fhir_adapter::app {
namespace {

using Command = std::function<int()>;

// Everything that the options of one command line are parsed into.
struct Parsed {
  GlobalOptions global;
  MapOptions map;
  ConvertOptions convert;
  std::string terminology_file;
  MapTestOptions map_test;
  MapDiffOptions map_diff;
  MapInitOptions map_init;
  ExplainOptions explain;
  CheckOptions check;
  FhirPathOptions fhirpath;
  SandboxCommandOptions sandbox;
  SubmitOptions submit;
  QueueOptions queue;
  std::string backup_file;
  RestoreOptions restore;
  AuditOptions audit;
  EraseOptions erase;
  TraceOptions trace;
  TokenOptions token;
  ReconcileOptions reconcile;
  RemapOptions remap;
  Command command;
};

void AddMapConversions(CLI::App& map, Parsed& parsed, const Streams& streams) {
  ConvertOptions& options = parsed.convert;
  CLI::App* convert = map.add_subcommand("convert", "A map as text, or as a StructureMap resource (R4, R5)");
  convert->add_option("--to", options.form, "text, r4 or r5 (default: r4 from a text, else text)")
      ->check(CLI::IsMember({"text", "r4", "r5"}));
  convert->add_option("FILE", options.file, "a map: .map, .fml or a StructureMap as .json")->required();
  convert->footer(
      "Converted back it is the same map; comments are not kept.\n"
      "Example: fhir-adapter map convert mappings/procedure-record/device.map --to r5 > device.json");
  convert->callback([&] { parsed.command = [&] { return RunConvert(options, streams); }; });
  CLI::App* terminology =
      map.add_subcommand("terminology", "A ConceptMap as a table for a spreadsheet (CSV), and back");
  terminology->add_option("FILE", parsed.terminology_file, "a ConceptMap, .json or .csv")->required();
  terminology->footer(
      "Nothing is lost either way; --map-dir reads both forms.\n"
      "Example: fhir-adapter map terminology mappings/terminology/route.json > route.csv");
  terminology->callback(
      [&] { parsed.command = [&] { return RunTerminology(parsed.terminology_file, streams); }; });
}

void AddMapTest(CLI::App& map, Parsed& parsed, const Streams& streams) {
  MapTestOptions& options = parsed.map_test;
  CLI::App* command = map.add_subcommand("test", "Run the cases that stand beside the maps");
  command->add_option("DIR", options.directory,
                      "folder of cases, or any above them (default: the maps in force)");
  command->add_option("--map-dir", options.map_directory, "folder of maps (default: the one DIR belongs to)");
  command->add_option("--model", options.model_directory, "folder of further StructureDefinitions");
  command->add_flag("--update", options.update,
                    "write what the maps give as what is expected; read it before you keep it");
  command->add_option("--junit", options.junit_file, "also write the result as JUnit XML");
  command->add_flag("--coverage", options.coverage,
                    "list the rules and the rows of ConceptMaps that no case reaches");
  command->footer(
      "A case is a folder tests/<case>/ beside a map: input.json (or .ndjson, .hl7), expected.json, "
      "expected-issues, "
      "expected-patient (what the patient is looked for by), config.toml.\n"
      "Exit codes: 0 all as expected; 1 some case differs; 2 the maps do not compile.\n"
      "Example: fhir-adapter map test --coverage /etc/fhir-adapter/mappings");
  command->callback([&] { parsed.command = [&] { return RunMapTest(parsed.global, options, streams); }; });
}

void AddColumns(CLI::App& command, std::string& columns) {
  command
      .add_option("--columns", columns,
                  "how .csv files are read: the name of a file in columns/ of the maps, or a file (.toml)")
      ->capture_default_str();
}

void AddMapDiff(CLI::App& map, Parsed& parsed, const Streams& streams) {
  MapDiffOptions& options = parsed.map_diff;
  CLI::App* diff = map.add_subcommand("diff", "What other maps would change in the output of records");
  diff->add_option("--against", options.against, "folder of the maps as they were")->required();
  diff->add_option("--map-dir", options.map_directory,
                   "folder of the maps as they are now (default: configured or shipped)");
  diff->add_option("--map", options.map, "name, url or file of the map, in both folders")
      ->capture_default_str();
  diff->add_option("RECORD", options.records, "record files (.json, .ndjson)")->required();
  diff->footer(
      "Resources are matched by their identifiers; --json gives a line a changed record.\n"
      "Exit codes: 0 nothing would change; 1 something would; 2 one of the folders does not compile.\n"
      "Example: fhir-adapter map diff --against /etc/fhir-adapter/mappings --map-dir ./mappings "
      "records/*.json");
  diff->callback([&] { parsed.command = [&] { return RunMapDiff(parsed.global, options, streams); }; });
}

void AddMapInit(CLI::App& map, Parsed& parsed, const Streams& streams) {
  MapInitOptions& options = parsed.map_init;
  CLI::App* init =
      map.add_subcommand("init", "Begin a map from a sample: model, map, tables of codes, a first case");
  init->add_option("SAMPLE", options.sample,
                   "records (.csv, .json, .ndjson) or HL7 v2 messages of a kind (.hl7)")
      ->required();
  init->add_option("--name", options.name, "of the map: small letters, digits and - (default: the sample's)");
  init->add_option("--map-dir", options.map_directory,
                   "folder that is written into (default: a new one called like the map)");
  init->add_option("--record-id", options.record_id,
                   "column, or path as in order.number, that names a record (default: as it looks)");
  init->add_option("--patient", options.patient, "likewise the number of the patient");
  init->footer(
      "Nothing is overwritten. What is made sends every value as a component of one Observation; move the "
      "rules to\n"
      "where the values belong. The first case holds the first record of the sample: take out what is of a "
      "patient.\n"
      "Exit codes: 0 written, and the sample can be mapped; 1 some of its records are refused; 2 not "
      "written.\n"
      "Example: fhir-adapter map init export.csv --record-id \"Case no.\" --patient \"Patient no.\"");
  init->callback([&] { parsed.command = [&] { return RunMapInit(parsed.global, options, streams); }; });
}

void AddMapExplain(CLI::App& map, Parsed& parsed, const Streams& streams) {
  ExplainOptions& options = parsed.explain;
  CLI::App* explain = map.add_subcommand(
      "explain", "From which fields, by which rules and code table rows each element of the output was made");
  explain->add_option("--map", options.map, "name, url or file of the map")->capture_default_str();
  explain->add_option("--map-dir", options.map_directory,
                      "folder of maps, code tables and rules (default: the shipped ones)");
  explain->add_option("--model", options.model_directory, "folder of further StructureDefinitions");
  explain->add_option("--element", options.element,
                      "only this element and those below it, as Observation.code or dosage.dose.value");
  AddColumns(*explain, options.columns);
  explain->add_option("INPUT", options.input, "a record file (.json, .ndjson, .csv)")->required();
  explain->footer(
      "Rules stand from the entry group down; --json gives a line an element.\n"
      "Exit codes: 0 explained; 1 a record was rejected or quarantined, or no element is called so.\n"
      "Example: fhir-adapter map explain fixtures/records/mg-3-revision-2.json --element "
      "MedicationAdministration.dosage.dose.value");
  explain->callback([&] { parsed.command = [&] { return RunExplain(parsed.global, options, streams); }; });
}

void AddMap(CLI::App& program, Parsed& parsed, const Streams& streams) {
  MapOptions& options = parsed.map;
  CLI::App* command = program.add_subcommand("map", "Map records to FHIR, without a database or network");
  command->add_option("--map", options.map, "name, url or file of the map")->capture_default_str();
  command->add_option("--map-dir", options.map_directory,
                      "folder of maps, code tables and rules (default: the shipped ones)");
  command->add_option("--model", options.model_directory, "folder of further StructureDefinitions");
  command
      ->add_option("--format", options.format,
                   "bundle: a transaction Bundle a record; ndjson: a resource a line")
      ->check(CLI::IsMember({"bundle", "ndjson"}))
      ->capture_default_str();
  command->add_flag("--raw", options.raw,
                    "only the target of the map's first group: no Bundle, no rules, no output check");
  AddColumns(*command, options.columns);
  command->add_option("INPUT", options.inputs,
                      "record files (.json, .ndjson, .csv), HL7 v2 messages (.hl7), or - for standard input");
  command->footer(
      "Exit codes: 0 all mapped; 1 some records were rejected or quarantined, each is listed.\n"
      "Example: fhir-adapter map fixtures/records/mg-3-revision-2.json | jq "
      "'.entry[].resource.resourceType'");
  AddMapConversions(*command, parsed, streams);
  AddMapTest(*command, parsed, streams);
  AddMapDiff(*command, parsed, streams);
  AddMapInit(*command, parsed, streams);
  AddMapExplain(*command, parsed, streams);
  command->callback([&] {
    if (parsed.command) return;  // one of the commands below `map`
    if (options.inputs.empty()) throw CLI::RequiredError("INPUT");
    parsed.command = [&] { return RunMap(parsed.global, options, streams); };
  });
}

void AddCheck(CLI::App& program, Parsed& parsed, const Streams& streams) {
  CheckOptions& options = parsed.check;
  CLI::App* command =
      program.add_subcommand("check", "Check configuration, maps, code tables and rules before they run");
  command->add_option("--map-dir", options.map_directory, "folder of maps (default: configured or shipped)");
  command->add_option("--model", options.model_directory, "folder of further StructureDefinitions");
  command->add_option("MAP", options.maps, "only these map files");
  CLI::Option* connect = command->add_flag(
      "--connect", options.connect,
      "ask the FHIR server instead: TLS, token, metadata, rung, patient search; writes nothing");
  command->add_option("--patient", options.patient, "with --connect: the number of a patient to search for")
      ->needs(connect);
  command->footer(
      "One line a finding: file:line:column: error|warning: message; with --connect check: outcome: "
      "message.\n"
      "Exit codes: 0 clean; 1 findings with errors; 2 the configuration is wrong; 4 the server is not "
      "reached.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml check --connect --patient 100001\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml check");
  command->callback([&] { parsed.command = [&] { return RunCheck(parsed.global, options, streams); }; });
}

void AddFhirPath(CLI::App& program, Parsed& parsed, const Streams& streams) {
  FhirPathOptions& options = parsed.fhirpath;
  CLI::App* command = program.add_subcommand("fhirpath", "Evaluate a FHIRPath expression on a resource");
  command->add_option("EXPRESSION", options.expression, "the expression");
  command->add_option("RESOURCE", options.resource, "a resource as JSON, or - for standard input");
  command->add_option("--batch", options.batch, "NDJSON requests {\"resource\":PATH,\"expression\":E}, or -");
  command->footer("Example: fhir-adapter fhirpath \"name.given.first()\" patient.json");
  command->callback([&] { parsed.command = [&] { return RunFhirPath(parsed.global, options, streams); }; });
}

void AddSandbox(CLI::App& program, Parsed& parsed, const Streams& streams) {
  SandboxCommandOptions& options = parsed.sandbox;
  CLI::App* command = program.add_subcommand(
      "sandbox", "An embedded FHIR R4 endpoint for trying things out; never for production");
  command->add_option("--port", options.port, "loopback port; 0 takes a free one")->capture_default_str();
  command->add_option("--store", options.store, "SQLite file that keeps the resources (default: in memory)");
  command->add_option("--like", options.like, "behave like another server")
      ->check(
          CLI::IsMember({"hapi", "helios", "batch-only", "single-only", "server-ids", "silent", "lying"}));
  command->add_option("--fault", options.faults,
                      "make a fault: status:CODE, delay:MS, drop, reset; see the README");
  command->footer("Example: fhir-adapter sandbox --port 8630 --fault status:503:3");
  command->callback([&] { parsed.command = [&] { return RunSandbox(parsed.global, options, streams); }; });
}

void AddServe(CLI::App& program, Parsed& parsed, const Streams& streams) {
  CLI::App* command = program.add_subcommand("serve", "Run the daemon in the foreground");
  command->footer(
      "SIGTERM ends requests under way and stops; SIGHUP reads maps and certificates again and "
      "looks for held patients.\n"
      "Maps that change are taken while it runs when they compile and the cases beside them pass.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml serve");
  command->callback([&] { parsed.command = [&] { return RunServe(parsed.global, streams); }; });
}

void AddSubmit(CLI::App& program, Parsed& parsed, const Streams& streams) {
  SubmitOptions& options = parsed.submit;
  CLI::App* command = program.add_subcommand("submit", "Send records to a running daemon");
  command->add_option("--to", options.to, "address of the daemon, http://HOST:PORT (default: configured)");
  command->add_option("--token-file", options.token_file,
                      "file with the bearer token, where the daemon wants one");
  command->add_option("--ca-file", options.ca_file,
                      "CA certificates (PEM) that an https daemon is known by; default: the system's");
  CLI::Option* certificate = command->add_option("--client-certificate-file", options.client_certificate_file,
                                                 "what we show of ourselves, where the daemon asks for it");
  CLI::Option* key = command->add_option("--client-key-file", options.client_key_file, "and its key");
  certificate->needs(key);
  key->needs(certificate);
  command->add_option("FILE", options.files, "record files (.json, .ndjson, .csv), or - for standard input")
      ->required();
  command->footer(
      "Example: fhir-adapter submit fixtures/records/mg-1.json\n"
      "Example: fhir-adapter submit --to https://intake.clinic.example:8620 --token-file ehr.token "
      "fixtures/records/mg-1.json");
  command->callback([&] { parsed.command = [&] { return RunSubmit(parsed.global, options, streams); }; });
}

void AddQueueAction(CLI::App& queue, const char* name, const char* text, bool changes, Parsed& parsed,
                    const Streams& streams) {
  QueueOptions& options = parsed.queue;
  CLI::App* action = queue.add_subcommand(name, text);
  const std::string word = name;
  if (word == "list") action->add_option("--state", options.state, "only entries in this state");
  if (word == "show") action->add_option("ID", options.ids, "the entry")->required()->expected(1);
  if (changes) {
    action->add_option("ID", options.ids, "the entries")->required();
    if (word == "link") {
      action->add_option("--patient", options.patient, "Patient/ID on the FHIR server")->required();
    }
    if (word == "release") {
      CLI::Option* ours = action->add_flag(
          "--ours", options.ours, "of a conflict: what the clinic says goes over what somebody else wrote");
      action->add_flag("--theirs", options.theirs, "of a conflict: what somebody else wrote stays")
          ->excludes(ours);
      action->footer(
          "Of a conflict `queue show ID` has both sides. With --ours what others added beside it is kept; "
          "with\n"
          "--theirs it stays until a revision says something else of the same element.\n"
          "Example: fhir-adapter queue release 4f0c… --reason \"patient registered\"\n"
          "Example: fhir-adapter queue release 4f0c… --theirs --reason \"the ward corrected the pain "
          "score\"");
    }
    action->add_option("--reason", options.reason, "why; kept with the change in the audit log")->required();
  }
  action->callback([&parsed, &options, &streams, word] {
    options.action = word;
    parsed.command = [&parsed, &options, &streams] { return RunQueue(parsed.global, options, streams); };
  });
}

void AddQueue(CLI::App& program, Parsed& parsed, const Streams& streams) {
  CLI::App* queue = program.add_subcommand("queue", "Look at and change what waits for the server");
  queue->require_subcommand(1);
  AddQueueAction(*queue, "stats", "Counts by state", false, parsed, streams);
  AddQueueAction(*queue, "list", "One line an entry", false, parsed, streams);
  AddQueueAction(*queue, "show", "Everything about one entry", false, parsed, streams);
  AddQueueAction(*queue, "retry", "Try again now; what is quarantined is mapped again with the maps in force",
                 true, parsed, streams);
  AddQueueAction(*queue, "release", "Let held work go on; decide a conflict", true, parsed, streams);
  AddQueueAction(*queue, "quarantine", "Take work out of the line", true, parsed, streams);
  AddQueueAction(*queue, "link",
                 "Tie a held patient, and all later records of it, to a Patient of the server", true, parsed,
                 streams);
  AddQueueAction(*queue, "unlink", "Search for the patient of this entry again from now on", true, parsed,
                 streams);
  queue->footer(
      "Example: fhir-adapter queue list --state held --json\n"
      "Example: fhir-adapter queue link 4f0c… --patient Patient/123 --reason \"same person, married name\"\n"
      "Example: fhir-adapter queue retry 4f0c… --reason \"code table corrected\"");
}

void AddReconcile(CLI::App& program, Parsed& parsed, const Streams& streams) {
  ReconcileOptions& options = parsed.reconcile;
  CLI::App* command = program.add_subcommand(
      "reconcile", "Compare what should be on the FHIR server with what is; changes nothing by itself");
  command->add_option("--since", options.since, "only records of which something came in since this time");
  command->add_option("--patient", options.patient, "only the patient with this number");
  CLI::Option* repair = command->add_flag("--repair", options.repair,
                                          "send what is missing, hold what is there twice for a person");
  command
      ->add_flag("--adopt", options.adopt,
                 "after a restore: take over what is newer on the server, then let sending go on")
      ->excludes(repair);
  command->add_option("--reason", options.reason, "why; kept with the change in the audit log");
  command->footer(
      "Prints missing, changed (with element paths), duplicate and orphaned resources. One that was stopped "
      "goes\n"
      "on where it was when it is called with the same options again.\n"
      "Exit codes: 0 nothing found; 1 differences; 4 the server is not reached.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml reconcile --since 2026-03-01 --json\n"
      "Example: fhir-adapter reconcile --repair --reason \"resources were deleted by mistake\"");
  command->callback([&] { parsed.command = [&] { return RunReconcile(parsed.global, options, streams); }; });
}

void AddRemap(CLI::App& program, Parsed& parsed, const Streams& streams) {
  RemapOptions& options = parsed.remap;
  CLI::App* command = program.add_subcommand(
      "remap", "What the maps in force make of stored records; with --apply what is different is sent");
  CLI::Option* ids =
      command->add_option("ID", options.ids, "records: recordId or site/recordId (default: all)");
  command->add_option("--since", options.since, "only records whose newest revision came in since this time")
      ->excludes(ids);
  command->add_option("--site", options.site, "only records of this site");
  CLI::Option* reason =
      command->add_option("--reason", options.reason, "why; kept with the change in the audit log");
  command->add_flag("--apply", options.apply, "queue the records that are different")->needs(reason);
  command->footer(
      "Shows the newest revision of each record element by element, as `map diff` does; --json gives a line "
      "a\n"
      "changed record. What it shows is clinical. It can be stopped and called again at any time.\n"
      "Exit codes: 0 nothing is different, or all of it is queued; 1 something is different and not queued.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml remap --since 2026-03-01\n"
      "Example: fhir-adapter remap --apply --reason \"code of CRPS corrected\" MG-1 pain-clinic/MG-3");
  command->callback([&] { parsed.command = [&] { return RunRemap(parsed.global, options, streams); }; });
}

void AddBackup(CLI::App& program, Parsed& parsed, const Streams& streams) {
  CLI::App* backup =
      program.add_subcommand("backup", "Write a consistent copy of the store, also while the daemon runs");
  backup->add_option("FILE", parsed.backup_file, "the copy; must not exist")->required();
  backup->footer("Example: fhir-adapter --config /etc/fhir-adapter/config.toml backup /backup/adapter.db");
  backup->callback(
      [&] { parsed.command = [&] { return RunBackup(parsed.global, parsed.backup_file, streams); }; });
  RestoreOptions& options = parsed.restore;
  CLI::App* restore =
      program.add_subcommand("restore", "Install a backup as the store; the daemon must not run");
  restore->add_option("FILE", options.file, "the backup")->required();
  restore->add_flag("--check", options.check_only, "only prove that it can be used");
  restore->footer(
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml restore --check /backup/adapter.db");
  restore->callback([&] { parsed.command = [&] { return RunRestore(parsed.global, options, streams); }; });
}

void AddToken(CLI::App& program, Parsed& parsed, const Streams& streams) {
  TokenOptions& options = parsed.token;
  CLI::App* token =
      program.add_subcommand("token", "Who may use the HTTP interface ([auth] kind = \"token\")");
  token->require_subcommand(1);
  const auto add = [&](const char* name, const char* text) {
    CLI::App* action = token->add_subcommand(name, text);
    action->callback([&parsed, &options, &streams, name] {
      options.action = name;
      parsed.command = [&parsed, &options, &streams] { return RunToken(parsed.global, options, streams); };
    });
    return action;
  };
  CLI::App* create = add("create", "Make a token and print it, once");
  create->add_option("NAME", options.name, "who uses it; stands in the audit log")->required();
  create->add_option("--role", options.roles, "ingest, operator or auditor; may be given again")
      ->required()
      ->check(CLI::IsMember({"ingest", "operator", "auditor"}));
  create->add_option("--days", options.days, "it ends after so many days (default: it does not end)")
      ->check(CLI::Range(std::int64_t{1}, limits::kTokenDaysMax));
  create->add_option("--certificate", options.certificate_file,
                     "the client certificate (PEM) that it is good with; for mutual TLS");
  create->add_option("--reason", options.reason, "why; kept with the change in the audit log")->required();
  CLI::App* revoke = add("revoke", "Let the token in no more, from the next request on");
  revoke->add_option("NAME", options.name, "the token")->required();
  revoke->add_option("--reason", options.reason, "why; kept with the change in the audit log")->required();
  add("list", "Names, roles and times; never the tokens");
  token->footer(
      "Example: fhir-adapter token create ehr --role ingest --days 365 --reason \"the EHR pushes "
      "observations\" > ehr.token\n"
      "Example: fhir-adapter token revoke ehr --reason \"replaced\"");
}

void AddErase(CLI::App& program, Parsed& parsed, const Streams& streams) {
  EraseOptions& options = parsed.erase;
  CLI::App* command = program.add_subcommand(
      "erase", "Take the content of records out of the store, its folders and its old pages, for good");
  command
      ->add_option("RECORD", options.records,
                   "record id or site/record id, or a receipt; of a pushed Observation ehr.ID")
      ->required();
  command->add_option("--reason", options.reason, "why; shown by `trace`")->required();
  command->footer(
      "Only what is settled can be erased: delivered, superseded, refused or quarantined. What is on the "
      "FHIR\n"
      "server and in backups stays. Entries of the audit log stay and can be proven; `trace` says erased on "
      "… "
      "because ….\n"
      "No revision of the record is taken again. Broken off, or with something left: the same command "
      "again.\n"
      "Exit codes: 0 all erased; 1 something is left, each is listed.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml erase MG-3 --reason \"asked for by the "
      "patient, letter of 2 November\"");
  command->callback([&] { parsed.command = [&] { return RunErase(parsed.global, options, streams); }; });
}

void AddAudit(CLI::App& program, Parsed& parsed, const Streams& streams) {
  AuditOptions& options = parsed.audit;
  CLI::App* audit =
      program.add_subcommand("audit", "Verify the audit log, prove an entry, export it for others");
  audit->require_subcommand(1);
  const auto add = [&](const char* name, const char* text) {
    CLI::App* action = audit->add_subcommand(name, text);
    action->add_option("--key", options.key, "verifier key or its file (default: beside the store)");
    action->callback([&parsed, &options, &streams, name] {
      options.action = name;
      parsed.command = [&parsed, &options, &streams] { return RunAudit(parsed.global, options, streams); };
    });
    return action;
  };
  CLI::App* verify = add("verify", "Is the log what was signed, and are the store's rows what the log says?");
  verify->add_option("--since", options.since,
                     "file with a checkpoint kept elsewhere: the log must have grown from it");
  verify->add_option("--checkpoints", options.checkpoints,
                     "another file of checkpoints, as a witness keeps it; an exported log must be as new");
  verify->add_option("--folder", options.folder, "an exported log (tlog-tiles) instead of the store");
  verify->footer(
      "Exit codes: 0 good; 1 incomplete; 5 tampered, the first bad entry is named.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml audit verify");
  add("prove", "A proof (tlog-proof) that an entry is in the signed log")
      ->add_option("SEQ", options.sequence, "the entry's number")
      ->required()
      ->check(CLI::PositiveNumber);
  add("export", "Write the log as files (tlog-tiles) with checkpoint and verifier key")
      ->add_option("DIR", options.folder, "an empty folder or one that is not there")
      ->required();
  audit->footer(
      "Reads the store and changes nothing; a daemon that runs notes the reading in the log.\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml audit verify\n"
      "Example: fhir-adapter audit prove 42 > entry-42.tlog-proof");
}

void AddTrace(CLI::App& program, Parsed& parsed, const Streams& streams) {
  TraceOptions& options = parsed.trace;
  CLI::App* command = program.add_subcommand(
      "trace", "All that is known of a record: received, mapped, sent, answered, corrected, and proven");
  command
      ->add_option(
          "SELECTOR", options.selector,
          "record id or site/record id, Type/id or URL of a resource, system|value of an identifier, "
          "number of a patient, receipt, or X-Request-Id")
      ->required();
  command->add_option(
      "--element", options.element,
      "also where this element came from: fields, rules, rows of code tables (path in the resource)");
  command->add_option("--html", options.html_file, "write one page to be read in a browser or printed");
  command->add_flag(
      "--live", options.live,
      "also what the configured server holds now of each resource, and how that differs from what "
      "was delivered");
  command->footer(
      "Reads the store and changes nothing; a daemon that runs notes the reading in the log. Needs no server "
      "but\n"
      "with --live, which only reads there. What it shows is clinical: keep it as such.\n"
      "Exit codes: 0 shown; 1 nothing of this name is known or, with --live, the server holds something "
      "else; 4 "
      "the\n"
      "server could not be asked (what the store knows is shown all the same); 5 an entry is not what was "
      "signed.\n"
      "Example: fhir-adapter trace MG-3 --live\n"
      "Example: fhir-adapter --config /etc/fhir-adapter/config.toml trace MG-3 --html mg-3.html\n"
      "Example: fhir-adapter trace MedicationAdministration/1042 --element dosage.dose.value");
  command->callback([&] { parsed.command = [&] { return RunTrace(parsed.global, options, streams); }; });
}

// What was given where a command had to stand, with those that could; empty when that is not the fault.
std::string UnknownCommand(CLI::App& program) {
  const std::vector<std::string> left = program.remaining(true);
  CLI::App* inner = &program;
  while (!inner->get_subcommands().empty()) inner = inner->get_subcommands().front();
  if (left.empty() || inner->get_require_subcommand_min() == 0) return "";
  std::vector<std::string> names;
  for (const CLI::App* command : inner->get_subcommands({})) names.push_back(command->get_name());
  const std::string kind = left.front().starts_with('-') ? "option" : "command";
  std::string text = "there is no " + kind + " '" + left.front() + "'";
  if (kind == "option") return text;
  const std::string near =
      fml::Suggest(left.front(), std::vector<std::string_view>(names.begin(), names.end()));
  if (!near.empty()) return text + near;
  text += "; there are";
  for (const std::string& name : names) text += " " + name;
  return text;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, const Streams& streams) {
  CLI::App program(
      "Maps a pain clinic's procedure records to FHIR R4 and keeps a hospital's FHIR server in step with "
      "them.",
      "fhir-adapter");
  Parsed parsed;
  program.add_option("--config", parsed.global.configuration_file, "configuration file (TOML)");
  program.add_option("--log-level", parsed.global.log_level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  program.add_flag("--json", parsed.global.json, "NDJSON for scripts");
  program.set_version_flag("--version", VersionText());
  program.require_subcommand(1);
  program.fallthrough();
  program.footer(
      "Example: fhir-adapter map fixtures/records/mg-3-revision-2.json\nEach command has --help with an "
      "example.");
  AddServe(program, parsed, streams);
  AddMap(program, parsed, streams);
  AddCheck(program, parsed, streams);
  AddFhirPath(program, parsed, streams);
  AddSubmit(program, parsed, streams);
  AddQueue(program, parsed, streams);
  AddReconcile(program, parsed, streams);
  AddRemap(program, parsed, streams);
  AddAudit(program, parsed, streams);
  AddTrace(program, parsed, streams);
  AddToken(program, parsed, streams);
  AddErase(program, parsed, streams);
  AddBackup(program, parsed, streams);
  AddSandbox(program, parsed, streams);
  for (CLI::App* command : program.get_subcommands({})) {
    command->fallthrough();
    for (CLI::App* nested : command->get_subcommands({})) {
      nested->fallthrough();
      // One without text of its own began with the program's, whose example is of another command.
      if (nested->get_footer() == program.get_footer()) nested->footer(command->get_footer());
    }
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = UnknownCommand(program);
    if (error.get_exit_code() != 0 && !unknown.empty()) {
      streams.err << "fhir-adapter: " << unknown << "\nRun with --help for more information.\n";
      return kExitUsage;
    }
    const int status = program.exit(error, streams.out, streams.err);
    return status == 0 ? kExitDone : kExitUsage;
  }
  return parsed.command();
}

}  // namespace fhir_adapter::app
