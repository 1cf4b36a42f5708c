// SampleTree: what a sample of records holds, element by element: how often, how many, and which values. From
// it `map init` infers a logical model.
//
// Values and pure functions; no thread. The values are clinical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::app {

// Where the texts of a sample come from, and so what may be read out of them.
enum class SampleForm : std::uint8_t {
  kJson,    // numbers and booleans are told from texts
  kTable,   // everything is a text, in the form of the table
  kMessage  // everything is a text; HL7 v2
};

struct SampleElement {
  std::string name;   // as the model calls it
  std::string label;  // as people know it: a header, a path, PID-3
  bool is_object = false;
  bool is_list = false;
  std::size_t objects = 0;  // how many objects it was, with children
  std::size_t seen = 0;     // in how many objects it stood
  std::set<fhir::NodeKind> kinds;
  std::vector<std::string> values;  // of a leaf, in order
  std::vector<SampleElement> children;

  // What the map knows it as, whatever its name.
  enum class Role : std::uint8_t { kNone, kSite, kRecordId, kRevision, kStatus, kRecorded, kPatient };
  Role role = Role::kNone;

  bool is_leaf() const { return !is_object; }
  SampleElement* Find(std::string_view child);
  const SampleElement* Find(std::string_view child) const;
  std::set<std::string> Distinct() const { return {values.begin(), values.end()}; }
};

// Adds one record. Errors, which name paths and no values: kUsage for what a logical model cannot say (a text
// here and an object there, a list in a list, a name that is no element's), kLimit.
Result<void> Observe(const fhir::Node& record, SampleElement& root);

// Whether it stood in each of several objects. Of one alone nothing is known.
bool IsAlwaysThere(const SampleElement& element, const SampleElement& parent);

// The FHIR type that all its values have: boolean, integer, decimal, dateTime, instant or string.
std::string TypeOf(const SampleElement& leaf, SampleForm form);

// Whether its texts look like codes of a table: few words that come again, or words that nobody writes in
// prose.
bool IsCoded(const SampleElement& leaf, const SampleElement* code_system);

// Whether it is of a person (a name, an address, a birth date) by its own name.
bool IsPersonal(std::string_view name);

// "Patient no." → "patientno": letters and digits of ASCII, small.
std::string Normalized(std::string_view text);
// "Patient no." → "patientNo"; "element" when nothing is left.
std::string ElementName(std::string_view text);

}  // namespace fhir_adapter::app
