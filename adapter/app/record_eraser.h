// Erasing records as a person asks for it: the rows of the store, the files of the folders, the copy that a
// restore put aside, and what the store's files keep of old pages; in this order, so that nothing comes back
// in between. Broken off at any point it is done again by asking again; what the tables have lost already,
// the next start of the daemon finishes by itself.
//
// One implementation for the daemon's control socket and for the command that finds no daemon. Blocking, for
// seconds to minutes: the daemon runs it on the thread of EraserThread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/configuration.h"
#include "app/queue_changes.h"
#include "core/clock.h"
#include "core/principal.h"
#include "intake/record_files.h"
#include "net/router.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {

struct EraseRequest {
  std::vector<std::string> records;  // record id, site/record id, or receipt; up to limits::kEraseRecordsMax
  std::string reason;
};

std::string ToJson(const EraseRequest& request);
Result<EraseRequest> ParseEraseRequest(std::string_view json);  // kUsage

struct ErasePorts {
  outbox::SqliteBackend& backend;
  Clock& clock;
  std::string site;        // of a record that is named by its id alone and of which nothing was taken
  std::string store_path;  // whose `.before-restore` is looked into
  std::vector<intake::RecordFolder> folders;
};

// The folders of the directory sources. `layout` gives that of the source's `columns`, null for none.
using LayoutOf = std::function<Result<const record::TableLayout*>(const SourceSettings& source)>;
Result<std::vector<intake::RecordFolder>> RecordFoldersOf(const Configuration& configuration,
                                                          const LayoutOf& layout);

// One result for each record, then one each for the folders, the store's files, and what is not erased here.
std::vector<QueueChangeResult> EraseRecords(const EraseRequest& request, const Principal& actor,
                                            const ErasePorts& ports);

// Finishes what was broken off after the rows of the tables were gone. What cannot be finished (a file that
// waits to be taken) stays for the next time, with a warning in the log of events.
Result<void> ResumeErasures(const ErasePorts& ports);

// Resumes what was broken off, then runs one request after the other. The destructor finishes the one in hand
// and refuses the others.
class EraserThread {
 public:
  explicit EraserThread(ErasePorts ports);
  ~EraserThread();
  EraserThread(const EraserThread&) = delete;
  EraserThread& operator=(const EraserThread&) = delete;

  void Run(EraseRequest request, Principal actor, QueueChangeDone done);

 private:
  struct Job {
    EraseRequest request;
    Principal actor;
    QueueChangeDone done;
  };
  void Loop();

  const ErasePorts ports_;
  std::mutex mutex_;  // guards the next two
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

// POST /control/erase.
net::Route EraseControlRoute(EraserThread& eraser);

}  // namespace fhir_adapter::app
