// Threads that share loops.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace gemma {

/**
 * A pool of `threads` threads, the calling one among them. Chunks of a loop are handed out by an atomic counter, so
 * that a thread that lost its core to another process costs only the chunk it holds. Workers spin for some tens of
 * microseconds between loops, then park. When loops wait for threads that lost their cores, fewer threads share them
 * for a while. One thread at a time may call parallel_for.
 */
class Pool {
 public:
  /** @throws std::system_error when the system starts no more threads */
  explicit Pool(size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  size_t threads() const { return workers_.size() + 1; }

  /**
   * Calls fn(begin, end) on disjoint ranges that cover [0, items), of `grain` items each where threads share the loop,
   * and returns when all are done. With one thread or one chunk the calling thread does all at once. `fn` must not throw.
   */
  template <class Fn>
  void parallel_for(size_t items, size_t grain, const Fn& fn) {
    run(
        items, grain,
        [](const void* context, size_t begin, size_t end) { (*static_cast<const Fn*>(context))(begin, end); }, &fn);
  }

 private:
  using Body = void (*)(const void* context, size_t begin, size_t end);
  using Clock = std::chrono::steady_clock;

  void run(size_t items, size_t grain, Body body, const void* context);
  void work(size_t index);
  void join();
  bool run_chunk();
  void wait_for_job(uint64_t seen);
  void rest(size_t index);
  void wait_for_chunks(Clock::time_point start);
  void readmit(Clock::time_point now);
  void note_wait(Clock::duration waited, Clock::time_point now);
  void lay_off(Clock::time_point now);

  // The loop: written by the caller between two loops, read only by a thread that has claimed one of its chunks.
  Body body_ = nullptr;
  const void* context_ = nullptr;
  size_t items_ = 0;
  size_t grain_ = 1;
  uint64_t chunks_ = 0;

  alignas(64) std::atomic<uint64_t> job_{0};   // number of the loop << 32 | chunks not yet claimed
  alignas(64) std::atomic<uint64_t> left_{0};  // chunks not yet finished
  std::atomic<int> parked_{0};
  std::atomic<bool> caller_parked_{false};
  std::atomic<bool> stop_{false};

  // Threads that share loops at present, the caller first; and when one more is tried again.
  std::atomic<size_t> active_{1};
  Clock::time_point retry_at_{};
  Clock::duration rest_{};

  // Waits for threads that lost their cores, of the last tens of milliseconds.
  Clock::duration waited_{};
  Clock::time_point last_wait_{};

  std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable work_done_;
  std::condition_variable readmitted_;
  std::vector<std::thread> workers_;
};

/** Physical cores that this process may use: its affinity, without second hyperthreads, within its cgroup's quota. */
size_t default_threads();

}  // namespace gemma
