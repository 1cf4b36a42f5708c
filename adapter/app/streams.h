// Where a command reads and writes: data to `out`, everything for people to `err`. Tests give string streams.
#pragma once

#include <istream>
#include <ostream>

#include "app/exit_code.h"
#include "core/result.h"

namespace fhir_adapter::app {

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;  // progress and colour only there
};

// "fhir-adapter: message" with the help of the code's row; gives the exit code.
ExitCode Report(const Error& error, const Streams& streams);

}  // namespace fhir_adapter::app
