// Checkpointer: brings the tree up to the entries of the log and signs what it then is.
//
//   Checkpointer checkpointer(ports, std::move(key), CheckpointFile(path), witness);
//   checkpointer.Advance();      // nothing when there is no new entry
//
// Used by one thread; not the writer's (it waits for the store). The tiles are durable in the store
// before the note is written to the file, and the note in the file before it is in the store. Errors: those
// of store and file; nothing is half done: the next Advance goes on. An error of the witness file is told and
// does not stop the log.
#pragma once

#include <cstdint>
#include <optional>

#include "audit/audit_log.h"
#include "audit/audit_tree.h"
#include "audit/checkpoint.h"
#include "audit/checkpoint_file.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::audit {

struct LogPorts {
  storage::Store& store;
  AuditLog& log;
  AuditTree& tree;
};

class Checkpointer {
 public:
  Checkpointer(LogPorts ports, SigningKey key, CheckpointFile file, std::optional<CheckpointFile> witness);

  // The checkpoint that was signed; nothing when the last one still holds.
  Result<std::optional<Checkpoint>> Advance();
  // Entries that no checkpoint covers yet.
  Result<std::uint64_t> Uncovered();

  const VerifierKey& key() const { return key_.verifier(); }

 private:
  Result<std::uint64_t> ExtendTree();
  Result<void> Publish(std::uint64_t size, const std::string& note);

  LogPorts ports_;
  SigningKey key_;
  CheckpointFile file_;
  std::optional<CheckpointFile> witness_;
};

}  // namespace fhir_adapter::audit
