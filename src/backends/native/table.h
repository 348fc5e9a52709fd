// Handles: what JavaScript holds in the place of a pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace gemma {

/** Objects by handle. A handle is an integer below 2^52: a slot and the slot's generation, so that a stale one is
 * known. */
template <class T>
class Table {
 public:
  uint64_t add(std::unique_ptr<T> value) {
    if (free_.empty()) {
      slots_.emplace_back();
      free_.push_back(slots_.size() - 1);
    }
    const size_t index = free_.back();
    Slot& slot = slots_[index];
    slot.value = std::move(value);
    free_.pop_back();
    return uint64_t{slot.generation} << SLOT_BITS | index;
  }

  /** nullptr: no such object, or freed. */
  T* find(uint64_t handle) {
    const size_t index = handle & ((uint64_t{1} << SLOT_BITS) - 1);
    if (index >= slots_.size() || slots_[index].generation != handle >> SLOT_BITS) return nullptr;
    return slots_[index].value.get();
  }

  /** false: there was none. */
  bool remove(uint64_t handle) {
    if (find(handle) == nullptr) return false;
    const size_t index = handle & ((uint64_t{1} << SLOT_BITS) - 1);
    free_.reserve(slots_.size());
    slots_[index].value.reset();
    slots_[index].generation += 1;
    free_.push_back(index);
    return true;
  }

  bool is_full() const { return free_.empty() && slots_.size() >> SLOT_BITS != 0; }

 private:
  static constexpr int SLOT_BITS = 20;
  struct Slot {
    uint32_t generation = 1;
    std::unique_ptr<T> value;
  };
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
};

}  // namespace gemma
