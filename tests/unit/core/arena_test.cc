#include "core/arena.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace fhir_adapter {
namespace {

TEST(Arena, Allocation_IsAlignedAndDistinct) {
  Arena arena;
  auto* byte = static_cast<char*>(arena.Allocate(1, 1));
  auto* number = arena.Make<std::uint64_t>(std::uint64_t{7});
  EXPECT_NE(static_cast<void*>(byte), static_cast<void*>(number));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(number) % alignof(std::uint64_t), 0U);
  EXPECT_EQ(*number, 7U);
}

TEST(Arena, LargerThanABlock_GetsABlockOfItsOwn) {
  Arena arena;
  const std::string text(1'000'000, 'x');
  const std::string_view first = arena.Copy("first");
  const std::string_view copy = arena.Copy(text);
  EXPECT_EQ(copy, text);
  EXPECT_EQ(first, "first");
}

TEST(Arena, Reset_KeepsMemoryForTheNextRecord) {
  Arena arena;
  (void)arena.Allocate(100'000);
  (void)arena.Allocate(300'000);
  arena.Reset();
  const std::size_t reserved = arena.bytes_reserved();
  EXPECT_GE(reserved, 300'000U);
  (void)arena.Allocate(200'000);
  EXPECT_EQ(arena.bytes_reserved(), reserved);
}

TEST(Arena, Join_PutsThePartsTogether) {
  Arena arena;
  EXPECT_EQ(arena.Join({"urn:", "", "uuid:", "1"}), "urn:uuid:1");
  EXPECT_EQ(arena.Join({}), "");
}

TEST(Arena, Moved_TakesItsMemoryAlong) {
  Arena first;
  const std::string_view text = first.Copy("text");
  Arena second = std::move(first);
  EXPECT_EQ(second.Copy("more"), "more");
  EXPECT_EQ(text, "text");
  EXPECT_EQ(first.bytes_reserved(), 0U);  // NOLINT: moved from, and to be used again
  EXPECT_EQ(first.Copy("again"), "again");
}

TEST(ArenaVector, Growth_TakesMemoryOfTheArena) {
  Arena arena;
  ArenaVector<std::string_view> texts(arena);
  for (int i = 0; i < 100'000; ++i) texts.emplace_back("text");
  EXPECT_GE(arena.bytes_reserved(), 100'000 * sizeof(std::string_view));
  EXPECT_EQ(texts.back(), "text");
}

}  // namespace
}  // namespace fhir_adapter
