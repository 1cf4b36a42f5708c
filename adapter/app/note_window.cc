#include "app/note_window.h"

#include <iterator>
#include <limits>

namespace fhir_adapter::app {

void NoteWindow::Count(Counted& counted, const audit::Entry& entry) {
  counted.last = entry;
  if (counted.count < std::numeric_limits<int>::max()) ++counted.count;
}

void NoteWindow::AddOwed(const Counted& counted, TimeUs time, std::vector<audit::Entry>& owed) {
  if (counted.count == 0) return;
  owed.push_back(counted.last);
  owed.back().time = time;
  owed.back().attempt = counted.count;
}

std::vector<audit::Entry> NoteWindow::Take(const std::string& key, const audit::Entry& entry,
                                           std::int64_t now_us) {
  std::vector<audit::Entry> entries = Due(entry.time, now_us);
  if (by_key_.empty()) begin_us_ = now_us;
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    Count(known->second, entry);
  } else if (by_key_.size() < keys_max_) {
    by_key_[key].last = entry;
    entries.push_back(entry);
  } else {
    audit::Entry nobody;
    nobody.time = entry.time;
    nobody.event = entry.event;
    nobody.actor.kind = entry.actor.kind;
    nobody.operation = "others";
    nobody.outcome = entry.outcome;
    Count(others_, nobody);
  }
  return entries;
}

std::vector<audit::Entry> NoteWindow::Due(TimeUs time, std::int64_t now_us) {
  if (by_key_.empty() || now_us - begin_us_ < window_us_) return {};
  return Close(time);
}

std::vector<audit::Entry> NoteWindow::Close(TimeUs time) {
  std::vector<audit::Entry> owed;
  for (const auto& [key, counted] : by_key_) AddOwed(counted, time, owed);
  AddOwed(others_, time, owed);
  by_key_.clear();
  others_ = {};
  return owed;
}

}  // namespace fhir_adapter::app
