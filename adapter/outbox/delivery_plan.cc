#include "outbox/delivery_plan.h"

namespace fhir_adapter::outbox {

std::string_view Name(WorkKind kind) {
  switch (kind) {
    case WorkKind::kRecord:
      return "record";
    case WorkKind::kIssueUpdate:
      return "issue-update";
    case WorkKind::kRepair:
      return "repair";
    case WorkKind::kObservation:
      return "observation";
    case WorkKind::kAuditEvent:
      return "audit-event";
  }
  return "record";
}

}  // namespace fhir_adapter::outbox
