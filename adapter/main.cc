#include <exception>
#include <iostream>
#include <unistd.h>

#include "app/command_line.h"

// Parses the command line, runs the command, and is the last to catch what a library throws.
int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const fhir_adapter::app::Streams streams{std::cin, std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  try {
    return fhir_adapter::app::RunCommandLine(argc, argv, streams);
  } catch (const std::exception& error) {
    std::cerr << "fhir-adapter: internal error: " << error.what() << "\n";
    return fhir_adapter::app::kExitInternal;
  }
}
