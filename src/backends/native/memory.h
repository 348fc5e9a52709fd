// Memory of tensors, packed weights and caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace gemma {

/** Zeroed bytes, aligned to 64, freed with the object. */
class Memory {
 public:
  enum class Kind {
    plain,
    /** Large and read linearly: asks the system for huge pages. */
    streamed,
    /** Reserved at full size, committed page by page as it is written. */
    lazy,
  };

  Memory() = default;
  /** @throws std::bad_alloc */
  Memory(size_t size, Kind kind);
  ~Memory() { release(); }
  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void release();

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  void* mapping_ = nullptr;  // nullptr: from the heap
  size_t mapped_ = 0;        // bytes of the mapping
};

/** A part of a region; the region lives as long as one of its parts. */
struct Part {
  std::shared_ptr<Memory> region;
  uint8_t* data = nullptr;
  size_t size = 0;
};

/** Places weights side by side in large regions, so that small ones too lie in huge pages. */
class Arena {
 public:
  /** Zeroed, aligned to 64. @throws std::bad_alloc */
  Part allocate(size_t size);

 private:
  std::weak_ptr<Memory> region_;
  size_t used_ = 0;
};

/** Memory that an op needs only while it runs: kept and grown, never shrunk, so that a step allocates nothing. */
class Scratch {
 public:
  explicit Scratch(Memory::Kind kind = Memory::Kind::plain) : kind_(kind) {}

  /** At least `size` bytes of any content, aligned to 64, valid until the next call. @throws std::bad_alloc */
  template <class T>
  T* get(size_t count) {
    const size_t size = count * sizeof(T);
    if (size > memory_.size()) {
      memory_ = Memory();
      memory_ = Memory(size + size / 4, kind_);
    }
    return reinterpret_cast<T*>(memory_.data());
  }

 private:
  Memory::Kind kind_;
  Memory memory_;
};

}  // namespace gemma
