// AccessNotes: who used the HTTP interface with which credential, who was refused, and what auditors read,
// as entries of the audit log: the first of each in a while, and a count of the rest.
//
// Thread-safe. Nothing here waits for the store.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "app/note_window.h"
#include "audit/audit_entry.h"
#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "net/http_server.h"

namespace fhir_adapter::app {

// What was read. Without a record: the log itself.
struct ReadSubject {
  std::string site;
  std::string record_id;

  bool operator==(const ReadSubject&) const = default;
};

class AccessNotes {
 public:
  using Done = std::function<void(const Result<void>&)>;
  // Appends in this order and calls `done` when all are durable; must not wait.
  using Append = std::function<void(std::vector<audit::Entry> entries, Done done)>;

  // `site`: whose copies of pushed Observations are read.
  AccessNotes(std::string site, Clock& clock, Append append);

  // On the I/O thread, of each exchange of the HTTP interface.
  void TakeExchange(const net::HttpExchange& exchange, const net::HttpRequest& head);

  // A command that shows the log or the traces of records. `done` may be called before it returns.
  void TakeReads(const Principal& reader, const std::string& command,
                 const std::vector<ReadSubject>& subjects, Done done);

  void Look();   // now and then: what windows that are over owe
  void Close();  // at the stop: what all of them owe

 private:
  void AddRead(const Principal& reader, const std::string& operation, const ReadSubject& subject,
               std::vector<audit::Entry>& entries);
  void Send(std::vector<audit::Entry> entries);

  const std::string site_;
  Clock& clock_;
  const Append append_;
  std::mutex mutex_;  // guards the windows
  NoteWindow uses_;
  NoteWindow refusals_;
  NoteWindow reads_;
};

}  // namespace fhir_adapter::app
