// How a command that shows the log, or what it says of a record, says so to the daemon, which notes it in the
// log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/access_notes.h"
#include "app/configuration.h"
#include "app/streams.h"
#include "core/result.h"
#include "net/router.h"

namespace fhir_adapter::app {

struct ReadNote {
  std::string command;  // "trace", "audit export"
  std::vector<ReadSubject> subjects;

  bool operator==(const ReadNote&) const = default;
};

std::string ToJson(const ReadNote& note);
// kUsage for anything else than a note.
Result<ReadNote> ParseReadNote(std::string_view json);

// POST /control/read; `notes` must outlive it.
net::Route ReadControlRoute(AccessNotes& notes);

// Waits until it is durable. Without a daemon nothing is written, since only the daemon writes and these
// commands change nothing: that is said on `err`, and so is any other reason. Reading goes on either way.
void NoteRead(const Configuration& configuration, const ReadNote& note, const Streams& streams);

}  // namespace fhir_adapter::app
