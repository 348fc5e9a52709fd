// Packing weights straight from a file, on threads of its own, while JavaScript does other things.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels.h"
#include "memory.h"

namespace gemma {

/** `rows` rows of a matrix, from a panel on, as `source` holds them. */
PackArgs pack_part(const PackArgs& matrix, size_t first_panel, size_t rows, const uint8_t* source);

/** Rows as they lie in a file. */
struct FileRows {
  int descriptor;
  double inode;        // as JavaScript has it; with the size it tells a descriptor that the runtime means for another file
  uint64_t file_size;
  uint64_t offset;     // of the first row
};

class Packer;

/** A matrix that is packed from a file. Destroying it gives the rest up: then no thread writes to it any more. */
class PackJob {
 public:
  enum class State { waiting, packed, failed };

  /** @param matrix where its panels go; `source` is unused */
  PackJob(Packer& packer, const PackArgs& matrix, const FileRows& rows);
  ~PackJob();
  PackJob(const PackJob&) = delete;
  PackJob& operator=(const PackJob&) = delete;

  /** Waits until it has ended, `most` at most. Failed: the file is no such file, or ends before, or cannot be read. */
  State wait(std::chrono::milliseconds most);

 private:
  friend class Packer;
  bool has_ended() const { return next_ == panels_ && slices_ == 0; }

  Packer& packer_;
  const PackArgs matrix_;
  const FileRows rows_;
  const size_t panels_;

  // Guarded by the packer's mutex.
  size_t next_ = 0;    // panel that nobody has claimed yet
  size_t slices_ = 0;  // being packed
  bool has_failed_ = false;
};

/** Packs jobs in order, a slice of a matrix at a time. Threads start with the first job; jobs end before it does. */
class Packer {
 public:
  Packer(const Kernels& kernels, size_t threads) : kernels_(kernels), most_threads_(threads) {}
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

 private:
  friend class PackJob;
  bool start_threads();
  void work();
  bool pack(const PackJob& job, size_t begin, size_t end, Scratch& buffer) const;
  void give_up(PackJob& job);

  const Kernels& kernels_;
  const size_t most_threads_;
  std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable slice_ended_;
  std::deque<PackJob*> jobs_;  // with panels that nobody has claimed
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gemma
