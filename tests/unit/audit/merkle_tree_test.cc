#include "audit/merkle_tree.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "audit/hash_tile.h"

namespace fhir_adapter::audit {
namespace {

std::string Hex(const Hash& hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

// Section 2.1 of RFC 6962, written down as it stands there and as slowly as can be.
Hash DefinitionOfRoot(const std::vector<Hash>& leaves, std::size_t begin, std::size_t end) {
  if (begin == end) return EmptyRoot();
  if (end - begin == 1) return leaves[begin];
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  return NodeHash(DefinitionOfRoot(leaves, begin, begin + split),
                  DefinitionOfRoot(leaves, begin + split, end));
}

std::vector<Hash> Leaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(LeafHash("entry " + std::to_string(i)));
  return leaves;
}

class Subtrees final : public SubtreeReader {
 public:
  explicit Subtrees(const std::vector<Hash>& leaves) : leaves_(leaves) {}
  Result<Hash> Subtree(unsigned level, std::uint64_t index) override {
    const std::size_t begin = index << level;
    const std::size_t end = (index + 1) << level;
    if (end > leaves_.size()) return Fail(Code::kInternal, "not a complete subtree");
    return DefinitionOfRoot(leaves_, begin, end);
  }

 private:
  const std::vector<Hash>& leaves_;
};

class MemoryTiles final : public TileStore {
 public:
  std::map<TileId, std::string> tiles;
  Result<std::string> Tile(TileId tile, std::uint64_t) override { return tiles[tile]; }
};

// The vectors of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test).
TEST(MerkleTree, ReferenceInputs_HaveTheReferenceRoots) {
  const std::vector<std::string> inputs = {
      std::string(),
      std::string("\x00", 1),
      std::string("\x10"),
      std::string("\x20\x21"),
      std::string("\x30\x31"),
      std::string("\x40\x41\x42\x43"),
      std::string("\x50\x51\x52\x53\x54\x55\x56\x57"),
      std::string("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f")};
  const std::vector<std::string> roots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  MerkleFrontier frontier;
  EXPECT_EQ(Hex(frontier.Root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    frontier.Append(LeafHash(inputs[i]));
    EXPECT_EQ(Hex(frontier.Root()), roots[i]) << i;
  }
}

TEST(MerkleTree, EverySizeToSeventy_HasTheRootOfTheDefinition) {
  const std::vector<Hash> leaves = Leaves(70);
  Subtrees subtrees(leaves);
  MerkleFrontier frontier;
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    frontier.Append(leaves[size - 1]);
    EXPECT_EQ(frontier.Root(), DefinitionOfRoot(leaves, 0, size));
    EXPECT_EQ(*RootOf(subtrees, size), frontier.Root());
  }
}

TEST(MerkleTree, EveryInclusionProof_VerifiesAndNoOtherDoes) {
  const std::vector<Hash> leaves = Leaves(40);
  Subtrees subtrees(leaves);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = DefinitionOfRoot(leaves, 0, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const Proof proof = *InclusionProof(subtrees, index, size);
      ASSERT_TRUE(VerifyInclusion(leaves[index], index, size, proof, root));
      EXPECT_FALSE(VerifyInclusion(LeafHash("another"), index, size, proof, root));
      EXPECT_FALSE(VerifyInclusion(leaves[index], index, size, proof, LeafHash("another")));
      EXPECT_FALSE(VerifyInclusion(leaves[index], size, size, proof, root));
      if (size > 1) {
        EXPECT_FALSE(VerifyInclusion(leaves[index], (index + 1) % size, size, proof, root));
      }
      for (std::size_t i = 0; i < proof.size(); ++i) {
        Proof changed = proof;
        changed[i][0] ^= 1;
        EXPECT_FALSE(VerifyInclusion(leaves[index], index, size, changed, root));
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(VerifyInclusion(leaves[index], index, size, changed, root));
      }
    }
  }
}

TEST(MerkleTree, EveryConsistencyProof_VerifiesAndNoOtherDoes) {
  const std::vector<Hash> leaves = Leaves(40);
  Subtrees subtrees(leaves);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = DefinitionOfRoot(leaves, 0, size);
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = DefinitionOfRoot(leaves, 0, old_size);
      const Proof proof = *ConsistencyProof(subtrees, old_size, size);
      ASSERT_TRUE(VerifyConsistency(old_size, size, proof, old_root, root));
      EXPECT_FALSE(VerifyConsistency(old_size, size, proof, LeafHash("another"), root));
      EXPECT_FALSE(VerifyConsistency(old_size, size, proof, old_root, LeafHash("another")));
      EXPECT_FALSE(VerifyConsistency(size + 1, size, proof, root, root));
      for (std::size_t i = 0; i < proof.size(); ++i) {
        Proof changed = proof;
        changed[i][31] ^= 0x80;
        EXPECT_FALSE(VerifyConsistency(old_size, size, changed, old_root, root));
      }
    }
  }
}

TEST(HashTile, IndexPath_IsThatOfTheSpecification) {
  EXPECT_EQ(TileIndexPath(0), "000");
  EXPECT_EQ(TileIndexPath(999), "999");
  EXPECT_EQ(TileIndexPath(1'000), "x001/000");
  EXPECT_EQ(TileIndexPath(1'234'067), "x001/x234/067");
}

// "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width
// 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1"
TEST(HashTile, TreeOfSeventyThousand_HasTheTilesOfTheSpecification) {
  EXPECT_EQ(WidthIn({0, 272}, 70'000), 256u);
  EXPECT_EQ(WidthIn({0, 273}, 70'000), 112u);
  EXPECT_EQ(WidthIn({0, 274}, 70'000), 0u);
  EXPECT_EQ(WidthIn({1, 0}, 70'000), 256u);
  EXPECT_EQ(WidthIn({1, 1}, 70'000), 17u);
  EXPECT_EQ(WidthIn({2, 0}, 70'000), 1u);
  EXPECT_EQ(WidthIn({3, 0}, 70'000), 0u);

  TileBuilder builder(0);
  MemoryTiles store;
  MerkleFrontier frontier;
  for (std::uint64_t i = 0; i < 70'000; ++i) {
    const Hash leaf = LeafHash(std::to_string(i));
    builder.Append(leaf);
    frontier.Append(leaf);
    if (i % 1'777 == 0) {
      for (auto& [tile, hashes] : builder.TakeChanged()) store.tiles[tile] = hashes;
    }
  }
  for (auto& [tile, hashes] : builder.TakeChanged()) store.tiles[tile] = hashes;
  EXPECT_EQ(store.tiles.size(), 273u + 1 + 1 + 1 + 1);
  TileSubtrees subtrees(store, 70'000);
  EXPECT_EQ(*RootOf(subtrees, 70'000), frontier.Root());
  const Proof proof = *InclusionProof(subtrees, 69'999, 70'000);
  EXPECT_TRUE(VerifyInclusion(LeafHash("69999"), 69'999, 70'000, proof, frontier.Root()));
}

TEST(HashTile, TileWithTooFewHashes_IsAnIntegrityError) {
  MemoryTiles store;
  store.tiles[{0, 0}] = std::string(32, 'x');
  TileSubtrees subtrees(store, 2);
  const auto root = RootOf(subtrees, 2);
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, Code::kIntegrity);
}

}  // namespace
}  // namespace fhir_adapter::audit
