// NoteWindow: lets the first of many alike through to the audit log and counts the rest, so that neither a
// busy client nor an attacker fills the disk. What was counted becomes one entry when the time is over: no
// more than 2 · keys_max + 1 entries a window, whatever comes.
//
// Not thread-safe. Times are monotonic microseconds; `time` of an entry is its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "audit/audit_entry.h"

namespace fhir_adapter::app {

class NoteWindow {
 public:
  NoteWindow(std::int64_t window_us, std::size_t keys_max) : window_us_(window_us), keys_max_(keys_max) {}

  // What is to be appended now: the entry when it is the first of its key, nothing when it was counted. First
  // what a window that is over owes.
  std::vector<audit::Entry> Take(const std::string& key, const audit::Entry& entry, std::int64_t now_us);

  // What the window owes when it is over by now: for each key one entry with the number of those that were
  // counted as its `attempt`, and one for all keys above `keys_max`, which names nobody.
  std::vector<audit::Entry> Due(TimeUs time, std::int64_t now_us);
  std::vector<audit::Entry> Close(TimeUs time);  // the same at once

 private:
  struct Counted {
    audit::Entry last;
    int count = 0;
  };
  static void Count(Counted& counted, const audit::Entry& entry);
  static void AddOwed(const Counted& counted, TimeUs time, std::vector<audit::Entry>& owed);

  const std::int64_t window_us_;
  const std::size_t keys_max_;
  std::int64_t begin_us_ = 0;
  std::map<std::string, Counted> by_key_;
  Counted others_;
};

}  // namespace fhir_adapter::app
