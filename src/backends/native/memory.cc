#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace gemma {
namespace {

constexpr size_t ALIGNMENT = 64;
constexpr size_t SLACK = 64;  // a vector load may start at the last byte
constexpr size_t MAP_FROM = size_t{1} << 20;
constexpr size_t HUGE_PAGE = size_t{2} << 20;

}  // namespace

Memory::Memory(size_t size, Kind kind) : size_(size) {
  if (size > std::numeric_limits<size_t>::max() / 4) throw std::bad_alloc();
  if (size < MAP_FROM && kind != Kind::lazy) {
    const size_t rounded = (size + SLACK + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    data_ = static_cast<uint8_t*>(std::aligned_alloc(ALIGNMENT, rounded));
    if (data_ == nullptr) throw std::bad_alloc();
    std::memset(data_, 0, rounded);
    return;
  }
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
  if (kind == Kind::lazy) flags |= MAP_NORESERVE;
#endif
  mapped_ = size + SLACK;
  if (kind == Kind::streamed) mapped_ = (mapped_ + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  void* const start = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (kind == Kind::streamed) madvise(start, mapped_, MADV_HUGEPAGE);
#endif
  data_ = static_cast<uint8_t*>(start);
}

Memory::Memory(Memory&& other) noexcept { *this = std::move(other); }

Memory& Memory::operator=(Memory&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  mapped_ = std::exchange(other.mapped_, 0);
  return *this;
}

void Memory::release() {
  if (mapped_ != 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  size_ = mapped_ = 0;
}

}  // namespace gemma
