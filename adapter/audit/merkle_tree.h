// The Merkle tree of RFC 6962 section 2.1 over the entries of the log.
//
// Pure functions and values; thread-safe as values are. Indexes are zero-based: entry `seq` is leaf `seq -
// 1`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter::audit {

using Hash = std::array<std::uint8_t, 32>;
using Proof = std::vector<Hash>;

Hash LeafHash(std::string_view entry);               // SHA-256(0x00 ‖ entry)
Hash NodeHash(const Hash& left, const Hash& right);  // SHA-256(0x01 ‖ left ‖ right)
Hash EmptyRoot();                                    // SHA-256 of nothing
std::string_view BytesOf(const Hash& hash);          // a view of `hash`
Hash HashOf(std::string_view bytes);                 // of exactly 32 bytes

// The root of a tree that grows leaf by leaf, in memory of one hash a level.
class MerkleFrontier {
 public:
  void Append(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  Hash Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> complete_;  // roots of the complete subtrees, the largest first
};

// Gives the root of the complete subtree of 2^level leaves that begins at leaf index * 2^level.
class SubtreeReader {
 public:
  virtual ~SubtreeReader() = default;
  virtual Result<Hash> Subtree(unsigned level, std::uint64_t index) = 0;
};

Result<Hash> RootOf(SubtreeReader& subtrees, std::uint64_t size);
// RFC 6962 section 2.1.1; index < size.
Result<Proof> InclusionProof(SubtreeReader& subtrees, std::uint64_t index, std::uint64_t size);
// RFC 6962 section 2.1.2; old_size <= size. Empty for old_size 0 and old_size == size.
Result<Proof> ConsistencyProof(SubtreeReader& subtrees, std::uint64_t old_size, std::uint64_t size);

// RFC 9162 sections 2.1.3.2 and 2.1.4.2.
bool VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const Proof& proof,
                     const Hash& root);
bool VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof, const Hash& old_root,
                       const Hash& root);

}  // namespace fhir_adapter::audit
