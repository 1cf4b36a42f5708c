// The backends that must keep the contract of the ports. One line in AllBackends for each.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_log.h"
#include "audit/audit_tree.h"
#include "core/clock.h"
#include "outbox/erasures.h"
#include "outbox/inbox.h"
#include "outbox/outbox.h"
#include "outbox/queue_reader.h"
#include "outbox/received_messages.h"
#include "outbox/retention.h"
#include "outbox/source_marks.h"
#include "outbox/stored_records.h"
#include "outbox/trace_reader.h"
#include "storage/transaction.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::test {

// An open store with its ports.
class OpenBackend {
 public:
  virtual ~OpenBackend() = default;
  virtual storage::Store& store() = 0;
  virtual audit::AuditLog& log() = 0;
  virtual audit::AuditTree& tree() = 0;
  virtual outbox::Inbox& inbox() = 0;
  virtual outbox::Outbox& outbox() = 0;
  virtual outbox::QueueReader& queue() = 0;
  virtual outbox::SourceMarks& sources() = 0;
  virtual outbox::StoredRecords& records() = 0;
  virtual outbox::TraceReader& trace() = 0;
  virtual outbox::Erasures& erasures() = 0;
  virtual outbox::Retention& retention() = 0;
  virtual outbox::ReceivedMessages& messages() = 0;
};

struct BackendKind {
  std::string name;
  // Opens the store that lives in `directory`, making it when there is none.
  std::function<std::unique_ptr<OpenBackend>(const std::string& directory, Random& random)> open;
};

std::vector<BackendKind> AllBackends();
std::string NameOfBackend(const ::testing::TestParamInfo<BackendKind>& kind);

class CountingRandom final : public Random {
 public:
  std::uint64_t Next() override { return (++state_) * 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t state_ = 0;
};

// Records, mappings and deliveries in the fewest words. Times are seconds.
class ContractTest : public ::testing::TestWithParam<BackendKind> {
 protected:
  ContractTest();

  void Reopen();
  TimeUs now() const { return TimeUs{seconds_ * 1'000'000}; }
  void Advance(std::int64_t seconds) { seconds_ += seconds; }

  storage::Store& store() { return backend_->store(); }
  outbox::Inbox& inbox() { return backend_->inbox(); }
  outbox::Outbox& outbox() { return backend_->outbox(); }
  outbox::QueueReader& queue() { return backend_->queue(); }
  outbox::SourceMarks& sources() { return backend_->sources(); }
  outbox::StoredRecords& records() { return backend_->records(); }
  outbox::TraceReader& trace() { return backend_->trace(); }
  outbox::Erasures& erasures() { return backend_->erasures(); }
  outbox::Retention& retention() { return backend_->retention(); }
  outbox::ReceivedMessages& messages() { return backend_->messages(); }
  audit::AuditLog& log() { return backend_->log(); }
  audit::AuditTree& tree() { return backend_->tree(); }

  template <class T>
  T Written(const std::function<Result<T>(storage::Transaction&)>& work) {
    auto result = storage::WriteValue<T>(store(), work);
    EXPECT_TRUE(result) << (result ? "" : ToString(result.error()));
    return result ? std::move(*result) : T{};
  }
  template <class T>
  T Seen(const std::function<Result<T>(storage::Snapshot&)>& read) {
    auto result = storage::ReadValue<T>(store(), read);
    EXPECT_TRUE(result) << (result ? "" : ToString(result.error()));
    return result ? std::move(*result) : T{};
  }
  Result<void> Changed(const std::function<Result<void>(storage::Transaction&)>& work) {
    return storage::Write(store(), work);
  }

  static outbox::NewRecord Record(const std::string& record_id, std::int64_t revision,
                                  const std::string& mrn = "100001");
  outbox::Accepted Accept(const outbox::NewRecord& record);
  outbox::Accepted Accept(const std::string& record_id, std::int64_t revision,
                          const std::string& mrn = "100001") {
    return Accept(Record(record_id, revision, mrn));
  }

  static outbox::IntendedResource Resource(const std::string& value, const std::string& content);
  outbox::MappingResult Mapped(const outbox::WorkId& id);
  outbox::MappingOutcome CompleteMapping(const outbox::MappingResult& result);
  // Accepted and mapped to one Procedure whose content is the revision.
  outbox::WorkId Queue(const std::string& record_id, std::int64_t revision,
                       const std::string& mrn = "100001");
  // Maps everything that waits, each to one Procedure.
  void MapAll();

  std::vector<outbox::WorkItem> Claim(std::size_t items_max = 10, const std::string& owner = "sender",
                                      std::int64_t lease_s = 60);
  std::optional<outbox::WorkItem> ClaimOne();
  static outbox::DeliveryReport Report(const outbox::WorkItem& item, outbox::DeliveryOutcome outcome,
                                       std::optional<Code> reason = std::nullopt);
  outbox::DeliveryReport Delivered(const outbox::WorkItem& item);
  outbox::WorkState Complete(const outbox::DeliveryReport& report);
  outbox::WorkState Deliver(const outbox::WorkItem& item) { return Complete(Delivered(item)); }

  outbox::WorkState StateOf(const outbox::WorkId& id);
  outbox::WorkState StateOf(const std::string& record_id, std::int64_t revision);
  outbox::Change Operator(const std::string& reason = "asked for by the ward") const;
  std::vector<std::string> EventsOf(const std::string& record_id);
  // The bytes of its entries of one event.
  std::vector<std::string> EntriesOf(const std::string& record_id, const std::string& event);

  TemporaryDirectory directory_;
  CountingRandom random_;
  std::unique_ptr<OpenBackend> backend_;
  std::int64_t seconds_ = 1'000;
};

}  // namespace fhir_adapter::test
