// Arena: memory that is given back all at once. Trees of one record live in one arena, so that reading,
// mapping and writing a record costs a handful of allocations.
//
// Owns its blocks; not thread-safe; nothing allocated here is ever destroyed one by one, so only types with a
// trivial destructor may live in it. Reset() keeps the largest block for the next record.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fhir_adapter {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  void* Allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    const std::size_t offset = (used_ + alignment - 1) & ~(alignment - 1);
    if (blocks_.empty() || offset + bytes > blocks_.back().size) return AllocateInNewBlock(bytes);
    used_ = offset + bytes;
    return blocks_.back().memory.get() + offset;
  }

  template <class T, class... Arguments>
  T* Make(Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (Allocate(sizeof(T), alignof(T))) T{std::forward<Arguments>(arguments)...};
  }

  template <class T>
  T* MakeArray(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (Allocate(sizeof(T) * count, alignof(T))) T[count];  // NOLINT: T may be a pointer
  }

  // A copy of `text` that lives as long as the arena's content.
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* bytes = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  // Forgets everything allocated; keeps the last (largest) block.
  void Reset() {
    if (blocks_.size() > 1) {
      Block last = std::move(blocks_.back());
      blocks_.clear();
      blocks_.push_back(std::move(last));
    }
    used_ = 0;
  }

  std::size_t bytes_reserved() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size = 0;
  };
  static constexpr std::size_t kFirstBlockBytes = 16 * 1024;

  void* AllocateInNewBlock(std::size_t bytes) {
    std::size_t size = blocks_.empty() ? kFirstBlockBytes : blocks_.back().size * 2;
    if (size < bytes) size = bytes;
    blocks_.push_back(Block{std::unique_ptr<std::byte[]>(new std::byte[size]), size});
    used_ = bytes;
    return blocks_.back().memory.get();
  }

  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // in the last block
};

}  // namespace fhir_adapter
