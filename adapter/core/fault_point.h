// Named places where a test lets the process die, to show that nothing acknowledged is lost.
//
// Compiled in only where FHIR_ADAPTER_FAULT_POINTS is defined (builds with tests); elsewhere the macro is
// empty. FHIR_ADAPTER_FAULT=NAME[@N] in the environment kills the process with SIGKILL when it passes the
// point NAME for the Nth time (default the first). FHIR_ADAPTER_FAULT_LOG=FILE appends the name of each
// point passed, so that a test can assert that all of them were reached.
#pragma once

#ifdef FHIR_ADAPTER_FAULT_POINTS
#define ADAPTER_FAULT_POINT(name) ::fhir_adapter::PassFaultPoint(name)
namespace fhir_adapter {
void PassFaultPoint(const char* name);
}
#else
#define ADAPTER_FAULT_POINT(name) static_cast<void>(0)
#endif
