#include "core/arena.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>

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

}  // namespace
}  // namespace fhir_adapter
