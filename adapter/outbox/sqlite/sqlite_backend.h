// The whole backend over one SQLite file, as the composition root and the contract tests open it.
//
// Owns everything; members may be used from any thread, as their ports say. The store is destroyed first.
#pragma once

#include <memory>

#include "audit/sqlite/sqlite_audit_log.h"
#include "audit/sqlite/sqlite_audit_tree.h"
#include "core/clock.h"
#include "core/result.h"
#include "outbox/sqlite/sqlite_access_tokens.h"
#include "outbox/sqlite/sqlite_erasures.h"
#include "outbox/sqlite/sqlite_inbox.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "outbox/sqlite/sqlite_pushed_observations.h"
#include "outbox/sqlite/sqlite_queue_reader.h"
#include "outbox/sqlite/sqlite_received_messages.h"
#include "outbox/sqlite/sqlite_retention.h"
#include "outbox/sqlite/sqlite_source_marks.h"
#include "outbox/sqlite/sqlite_stored_records.h"
#include "outbox/sqlite/sqlite_trace_reader.h"
#include "storage/sqlite/sqlite_store.h"

namespace fhir_adapter::outbox {

struct SqliteBackend {
  explicit SqliteBackend(Random& random)
      : log(random),
        inbox(log, random),
        outbox(log, random),
        queue(log),
        tokens(log),
        erasures(log),
        messages(log),
        records(log, random, inbox),
        retention(log),
        sources(random) {}

  audit::SqliteAuditLog log;
  audit::SqliteAuditTree tree;
  SqliteInbox inbox;
  SqliteOutbox outbox;
  SqliteQueueReader queue;
  SqliteTraceReader trace;
  SqlitePushedObservations pushed;
  SqliteAccessTokens tokens;
  SqliteErasures erasures;
  SqliteReceivedMessages messages;
  SqliteStoredRecords records;
  SqliteRetention retention;
  SqliteSourceMarks sources;
  std::unique_ptr<storage::SqliteStore> store;  // last: its writer may still run work that uses the others
};

// For the daemon and for commands without one: the only writer. `random` must be fit for keys.
Result<std::unique_ptr<SqliteBackend>> OpenSqliteBackend(storage::SqliteStoreSettings settings,
                                                         Random& random);
// For commands that only look.
Result<std::unique_ptr<SqliteBackend>> OpenSqliteBackendReadOnly(const storage::SqliteStoreSettings& settings,
                                                                 Random& random);

}  // namespace fhir_adapter::outbox
