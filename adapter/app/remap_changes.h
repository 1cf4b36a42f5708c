// What `remap --apply` has queued: stored records, to be mapped again. One implementation for the daemon's
// control socket and for the command that finds no daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/queue_changes.h"
#include "net/router.h"
#include "outbox/stored_records.h"

namespace fhir_adapter::app {

struct RemapChange {
  struct Record {
    std::string subject_key;
    std::int64_t revision = 0;
  };
  std::string reason;
  std::string map_set;  // name of the set whose output was looked at
  std::vector<Record> records;
};

std::string ToJson(const RemapChange& change);
Result<RemapChange> ParseRemapChange(std::string_view json);  // kUsage

// A work for each record; results are named by its key. As ApplyQueueChange.
void ApplyRemapChange(const RemapChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::StoredRecords& records, QueueChangeDone done);

// POST /control/remap. kNotAllowed while `maps_in_force` is another set than the one that was looked at: what
// is queued is what was shown. `changed` is called after a change.
net::Route RemapControlRoute(storage::Store& store, outbox::StoredRecords& records, Clock& clock,
                             std::function<std::string()> maps_in_force, std::function<void()> changed);

}  // namespace fhir_adapter::app
