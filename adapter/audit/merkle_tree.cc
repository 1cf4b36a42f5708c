#include "audit/merkle_tree.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "core/digest.h"

namespace fhir_adapter::audit {
namespace {

constexpr std::string_view kLeafPrefix("\x00", 1);
constexpr std::string_view kNodePrefix("\x01", 1);

// The largest power of two smaller than size; size > 1.
std::uint64_t SplitOf(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

// The root of leaves [begin, begin + size); begin is a multiple of the subtree that holds them.
Result<Hash> RangeRoot(SubtreeReader& subtrees, std::uint64_t begin, std::uint64_t size) {
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    return subtrees.Subtree(level, begin >> level);
  }
  const std::uint64_t split = SplitOf(size);
  ADAPTER_TRY(const Hash left, RangeRoot(subtrees, begin, split));
  ADAPTER_TRY(const Hash right, RangeRoot(subtrees, begin + split, size - split));
  return NodeHash(left, right);
}

Result<void> AppendInclusion(SubtreeReader& subtrees, std::uint64_t begin, std::uint64_t index,
                             std::uint64_t size, Proof& proof) {
  if (size == 1) return {};
  const std::uint64_t split = SplitOf(size);
  const bool left = index < split;
  ADAPTER_CHECK(left ? AppendInclusion(subtrees, begin, index, split, proof)
                     : AppendInclusion(subtrees, begin + split, index - split, size - split, proof));
  ADAPTER_TRY(const Hash sibling,
              left ? RangeRoot(subtrees, begin + split, size - split) : RangeRoot(subtrees, begin, split));
  proof.push_back(sibling);
  return {};
}

// SUBPROOF(old_size, D[begin : begin + size], is_whole) of RFC 6962.
Result<void> AppendConsistency(SubtreeReader& subtrees, std::uint64_t begin, std::uint64_t old_size,
                               std::uint64_t size, bool is_whole, Proof& proof) {
  if (old_size == size) {
    if (is_whole) return {};
    ADAPTER_TRY(const Hash root, RangeRoot(subtrees, begin, size));
    proof.push_back(root);
    return {};
  }
  const std::uint64_t split = SplitOf(size);
  const bool left = old_size <= split;
  ADAPTER_CHECK(
      left ? AppendConsistency(subtrees, begin, old_size, split, is_whole, proof)
           : AppendConsistency(subtrees, begin + split, old_size - split, size - split, false, proof));
  ADAPTER_TRY(const Hash sibling,
              left ? RangeRoot(subtrees, begin + split, size - split) : RangeRoot(subtrees, begin, split));
  proof.push_back(sibling);
  return {};
}

}  // namespace

std::string_view BytesOf(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Hash HashOf(std::string_view bytes) {
  Hash hash;
  if (bytes.size() != hash.size()) std::abort();
  std::ranges::transform(bytes, hash.begin(), [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

Hash LeafHash(std::string_view entry) {
  return Sha256({kLeafPrefix, entry});
}

Hash NodeHash(const Hash& left, const Hash& right) {
  return Sha256({kNodePrefix, BytesOf(left), BytesOf(right)});
}

Hash EmptyRoot() {
  return Sha256({});
}

void MerkleFrontier::Append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the old size is a complete subtree that this leaf doubles.
  for (std::uint64_t size = size_; (size & 1) != 0; size >>= 1) {
    hash = NodeHash(complete_.back(), hash);
    complete_.pop_back();
  }
  complete_.push_back(hash);
  ++size_;
}

Hash MerkleFrontier::Root() const {
  if (complete_.empty()) return EmptyRoot();
  Hash root = complete_.back();
  for (std::size_t i = complete_.size() - 1; i-- > 0;) root = NodeHash(complete_[i], root);
  return root;
}

Result<Hash> RootOf(SubtreeReader& subtrees, std::uint64_t size) {
  if (size == 0) return EmptyRoot();
  return RangeRoot(subtrees, 0, size);
}

Result<Proof> InclusionProof(SubtreeReader& subtrees, std::uint64_t index, std::uint64_t size) {
  if (index >= size) std::abort();
  Proof proof;
  ADAPTER_CHECK(AppendInclusion(subtrees, 0, index, size, proof));
  return proof;
}

Result<Proof> ConsistencyProof(SubtreeReader& subtrees, std::uint64_t old_size, std::uint64_t size) {
  if (old_size > size) std::abort();
  Proof proof;
  if (old_size == 0 || old_size == size) return proof;
  ADAPTER_CHECK(AppendConsistency(subtrees, 0, old_size, size, true, proof));
  return proof;
}

bool VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const Proof& proof,
                     const Hash& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = NodeHash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool VerifyConsistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof, const Hash& old_root,
                       const Hash& root) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == EmptyRoot();
  Proof path = proof;
  if (std::has_single_bit(old_size)) path.insert(path.begin(), old_root);
  if (path.empty()) return false;
  std::uint64_t node = old_size - 1;
  std::uint64_t last = size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  Hash from_old = path.front();
  Hash from_new = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      from_old = NodeHash(path[i], from_old);
      from_new = NodeHash(path[i], from_new);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      from_new = NodeHash(from_new, path[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && from_old == old_root && from_new == root;
}

}  // namespace fhir_adapter::audit
