#include "outbox/sqlite/configuration_record.h"

#include <string>

#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {
namespace {

constexpr std::string_view kSetting = "configuration";

Result<bool> IsTheLast(storage::Transaction& transaction, std::string_view sha256) {
  storage::Statement statement = UseWork(transaction, "setting");
  statement.Bind(kSetting);
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row && statement.View(0) == sha256;
}

}  // namespace

Result<void> RecordConfiguration(storage::Transaction& transaction, audit::AuditLog& log,
                                 std::string_view sha256, TimeUs now) {
  ADAPTER_TRY(const bool is_the_last, IsTheLast(transaction, sha256));
  if (is_the_last) return {};
  audit::Entry entry;
  entry.time = now;
  entry.event = audit::EventKind::kConfigurationChanged;
  entry.actor = SystemPrincipal();
  entry.operation = "configuration " + std::string(sha256);
  entry.outcome = "ok";
  ADAPTER_TRY(const audit::Sequence sequence, log.Append(transaction, entry));
  return UseWork(transaction, "put_setting").Bind(kSetting, sha256, sequence).Run();
}

}  // namespace fhir_adapter::outbox
