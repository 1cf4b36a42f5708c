// Arena: memory that is given back all at once. Trees of one record live in one arena, so that reading,
// mapping and writing a record costs a handful of allocations.
//
// Owns its blocks; not thread-safe; nothing allocated here is ever destroyed one by one, so only types with a
// trivial destructor may live in it. Reset() keeps the largest block for the next record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
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
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept {
    blocks_ = std::exchange(other.blocks_, {});
    at_ = std::exchange(other.at_, nullptr);
    end_ = std::exchange(other.end_, nullptr);
    return *this;
  }

  void* Allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    // Blocks begin at the strictest alignment.
    const std::size_t padding = -reinterpret_cast<std::uintptr_t>(at_) & (alignment - 1);
    if (bytes + padding > static_cast<std::size_t>(end_ - at_)) return AllocateInNewBlock(bytes);
    std::byte* const memory = at_ + padding;
    at_ = memory + bytes;
    return memory;
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

  // Room for `count` objects that the caller constructs.
  template <class T>
  T* MakeRoom(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(Allocate(sizeof(T) * count, alignof(T)));
  }

  // A copy of `text` that lives as long as the arena's content.
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* bytes = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  // The parts as one text.
  std::string_view Join(std::initializer_list<std::string_view> parts) {
    std::size_t bytes = 0;
    for (const std::string_view part : parts) bytes += part.size();
    char* text = static_cast<char*>(Allocate(bytes, 1));
    char* end = text;
    for (const std::string_view part : parts) {
      if (!part.empty()) std::memcpy(end, part.data(), part.size());
      end += part.size();
    }
    return {text, bytes};
  }

  // Forgets everything allocated; keeps the last (largest) block.
  void Reset() {
    if (blocks_.size() > 1) {
      Block last = std::move(blocks_.back());
      blocks_.clear();
      blocks_.push_back(std::move(last));
    }
    at_ = blocks_.empty() ? nullptr : blocks_.back().memory.get();
    end_ = blocks_.empty() ? nullptr : at_ + blocks_.back().size;
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
    at_ = blocks_.back().memory.get() + bytes;
    end_ = blocks_.back().memory.get() + size;
    return blocks_.back().memory.get();
  }

  std::vector<Block> blocks_;
  std::byte* at_ = nullptr;   // what is free of the last block
  std::byte* end_ = nullptr;  // and its end
};

// Lets a standard container that lives no longer than the arena's content take its memory there.
template <class T>
class ArenaAllocator {
 public:
  using value_type = T;

  ArenaAllocator(Arena& arena) : arena_(&arena) {}  // NOLINT: implicit, as allocators are
  template <class U>
  ArenaAllocator(const ArenaAllocator<U>& other) : arena_(other.arena()) {}  // NOLINT: implicit

  T* allocate(std::size_t count) { return static_cast<T*>(arena_->Allocate(sizeof(T) * count, alignof(T))); }
  void deallocate(T*, std::size_t) {}
  Arena* arena() const { return arena_; }

  template <class U>
  bool operator==(const ArenaAllocator<U>& other) const {
    return arena_ == other.arena();
  }

 private:
  Arena* arena_;
};

template <class T>
using ArenaVector = std::vector<T, ArenaAllocator<T>>;

}  // namespace fhir_adapter
