// A store with its pipeline, and a mapper that needs no maps.
#pragma once

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/mapping_pool.h"
#include "pipeline/receive.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::pipeline {

// One Procedure whose content is the record, and one DetectedIssue that counts the patient's other records.
class TestMapper final : public RecordMapper {
 public:
  explicit TestMapper(std::string version = "1") : version_(std::move(version)) {}

  MapOutput Map(const std::string& map, std::string_view record,
                const outbox::MappingFacts& facts) const override;
  MapOutput MapObservation(std::string_view, std::string_view bytes,
                           const outbox::MappingFacts& facts) const override {
    return Map({}, bytes, facts);
  }
  std::string map_set_sha256() const override;
  std::string map_set_bytes() const override { return "maps " + version_; }
  std::string engine() const override { return "test " + version_; }

  mutable std::atomic<int> calls{0};

 private:
  std::string version_;
};

// A record as a text: "{id} {revision} {mrn}"; with "bad" in it the mapper quarantines it.
InputRecord MakeRecord(const std::string& record_id, std::int64_t revision = 1,
                       const std::string& mrn = "100001");
Submission MakeSubmission(std::vector<InputRecord> records);

std::unique_ptr<outbox::SqliteBackend> OpenBackendAt(storage::SqliteStoreSettings settings);

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() { Open(); }

  void Open();
  void Close();
  std::string StorePath() const { return directory_.File("adapter.db"); }
  Receiver MakeReceiver(Receiver::Settings settings = {}) {
    return Receiver(*backend_->store, backend_->inbox, backend_->queue, SystemClock(), std::move(settings));
  }
  MappingPool MakePool(MappingPool::Settings settings = {}) {
    return MappingPool(*backend_->store, backend_->inbox, SystemClock(), settings);
  }
  outbox::QueueStatistics Statistics();
  std::vector<outbox::RevisionState> Revisions(const std::string& record_id);
  // Claims and delivers until nothing is due; returns "{id}/{revision}" in the order of delivery.
  std::vector<std::string> DeliverAll();

  test::TemporaryDirectory directory_;
  std::unique_ptr<outbox::SqliteBackend> backend_;
};

}  // namespace fhir_adapter::pipeline
