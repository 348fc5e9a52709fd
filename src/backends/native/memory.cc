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
constexpr size_t REGION = size_t{64} << 20;
constexpr size_t OWN_REGION_FROM = size_t{8} << 20;  // what is larger would leave too much of a region unused

uint8_t* align_up(void* pointer, size_t alignment) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  return static_cast<uint8_t*>(pointer) + (alignment - address % alignment) % alignment;
}

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
  const size_t alignment = kind == Kind::streamed ? HUGE_PAGE : 1;
  mapped_ = size + SLACK + alignment;
  void* const mapping = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = mapping;
  data_ = align_up(mapping, alignment);
#ifdef MADV_HUGEPAGE
  if (kind == Kind::streamed) madvise(data_, size, MADV_HUGEPAGE);
#endif
}

Memory::Memory(Memory&& other) noexcept { *this = std::move(other); }

Memory& Memory::operator=(Memory&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  mapping_ = std::exchange(other.mapping_, nullptr);
  mapped_ = std::exchange(other.mapped_, 0);
  return *this;
}

void Memory::release() {
  if (mapping_ != nullptr) {
    munmap(mapping_, mapped_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  mapping_ = nullptr;
  size_ = mapped_ = 0;
}

Part Arena::allocate(size_t size) {
  if (size >= OWN_REGION_FROM) {
    auto own = std::make_shared<Memory>(size, Memory::Kind::streamed);
    return {own, own->data(), size};
  }
  std::shared_ptr<Memory> region = region_.lock();
  if (region == nullptr || region->size() - used_ < size) {
    region = std::make_shared<Memory>(REGION, Memory::Kind::streamed);
    region_ = region;
    used_ = 0;
  }
  Part part = {region, region->data() + used_, size};
  used_ += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return part;
}

}  // namespace gemma
