#include "pool.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gemma {
namespace {

// Between two ops of a step lie a few microseconds; parking and waking takes longer than that.
constexpr auto SPIN = std::chrono::microseconds(40);

// A chunk takes some 100 µs at most. Who keeps the others waiting longer has lost its core, for a time slice of
// milliseconds. That happens now and then beside any other thread, and is cheaper borne than a thread less. Where such
// waits add up to a third of the time, a thread rests, longer each time this happens again soon.
constexpr auto DISPLACED = std::chrono::milliseconds(1);
constexpr std::chrono::steady_clock::duration WINDOW = std::chrono::milliseconds(48);
constexpr auto MOST_WAITED = WINDOW / 3;
constexpr auto LEAST_REST = std::chrono::milliseconds(16);
constexpr auto MOST_REST = std::chrono::milliseconds(512);
constexpr auto SOON = std::chrono::seconds(2);

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/** Polls for a while. Returns whether `ready` came true. */
template <class Ready>
bool spin(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + SPIN;
  do {
    for (int i = 0; i < 32; i++) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

constexpr uint64_t CHUNKS = 0xffffffff;  // mask of job_

}  // namespace

Pool::Pool(size_t threads) {
  active_.store(threads);  // before a worker asks: who is not active rests, until somebody was laid off
  try {
    for (size_t i = 1; i < threads; i++) workers_.emplace_back([this, i] { work(i); });
  } catch (...) {
    join();  // a thread that is destroyed while it runs ends the process
    throw;
  }
}

Pool::~Pool() { join(); }

void Pool::join() {
  stop_.store(true);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_came_.notify_all();
    readmitted_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
}

void Pool::run(size_t items, size_t grain, Body body, const void* context) {
  if (items == 0) return;
  grain = std::max<size_t>({grain, 1, items / CHUNKS + 1});
  const uint64_t chunks = (items - 1) / grain + 1;
  if (chunks == 1 || workers_.empty()) {
    body(context, 0, items);
    return;
  }
  const Clock::time_point start = Clock::now();
  if (active_.load() <= workers_.size()) readmit(start);
  if (active_.load() == 1) {
    body(context, 0, items);
    return;
  }
  body_ = body;
  context_ = context;
  items_ = items;
  grain_ = grain;
  chunks_ = chunks;
  left_.store(chunks);
  const uint64_t number = (job_.load() >> 32) + 1;
  job_.store(number << 32 | chunks);
  // Sequentially consistent with wait_for_job: either a worker sees the loop before it parks, or it is seen parked
  // here.
  if (parked_.load() > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_came_.notify_all();
  }
  while (run_chunk()) {
  }
  wait_for_chunks(start);
}

/** Claims one chunk and runs it. false: none is left. */
bool Pool::run_chunk() {
  uint64_t job = job_.load();
  do {
    if ((job & CHUNKS) == 0) return false;
  } while (!job_.compare_exchange_weak(job, job - 1));
  // The loop cannot end, and its fields cannot change, before this chunk is done.
  const size_t begin = static_cast<size_t>(chunks_ - (job & CHUNKS)) * grain_;
  body_(context_, begin, std::min(begin + grain_, items_));
  if (left_.fetch_sub(1) == 1 && caller_parked_.load()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_done_.notify_one();
  }
  return true;
}

void Pool::work(size_t index) {
  while (!stop_.load()) {
    while (index < active_.load() && run_chunk()) {
    }
    const uint64_t seen = job_.load();
    if (index >= active_.load()) {
      rest(index);
    } else if ((seen & CHUNKS) == 0) {
      wait_for_job(seen);
    }
  }
}

/** Returns when job_ is no longer `seen`, or the pool stops. */
void Pool::wait_for_job(uint64_t seen) {
  const auto ready = [&] { return job_.load() != seen || stop_.load(); };
  if (spin(ready)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  parked_.fetch_add(1);
  work_came_.wait(lock, ready);
  parked_.fetch_sub(1);
}

/** Returns when this worker is to share loops again, or the pool stops. */
void Pool::rest(size_t index) {
  std::unique_lock<std::mutex> lock(mutex_);
  readmitted_.wait(lock, [&] { return index < active_.load() || stop_.load(); });
}

/** Waits for the chunks that others hold. Parks: the core may be what a displaced worker is waiting for. */
void Pool::wait_for_chunks(Clock::time_point start) {
  const auto ready = [&] { return left_.load() == 0; };
  if (spin(ready)) return;
  const Clock::time_point parked = Clock::now();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    caller_parked_.store(true);
    work_done_.wait(lock, ready);
    caller_parked_.store(false);
  }
  const Clock::time_point now = Clock::now();
  // Where chunks are long, as attention's over long contexts, waiting for half of the loop is fair.
  if (now - parked > std::max<Clock::duration>(DISPLACED, parked - start)) note_wait(now - parked, now);
}

/** Adds to the waits of the last WINDOW; a sum that fades, so that nothing is kept. */
void Pool::note_wait(Clock::duration waited, Clock::time_point now) {
  const Clock::duration since = std::min<Clock::duration>(now - last_wait_, WINDOW);
  waited_ = waited_ * (WINDOW - since).count() / WINDOW.count() + waited;
  last_wait_ = now;
  if (waited_ > MOST_WAITED) lay_off(now);
}

/** One thread fewer for a while. Which one does not matter: the system moves threads to cores that are free. */
void Pool::lay_off(Clock::time_point now) {
  rest_ = now - retry_at_ < SOON ? std::clamp<Clock::duration>(2 * rest_, LEAST_REST, MOST_REST) : LEAST_REST;
  retry_at_ = now + rest_;
  active_.store(std::max<size_t>(active_.load() - 1, 1));
  waited_ = {};
}

/** One thread more, when its rest is over. */
void Pool::readmit(Clock::time_point now) {
  if (now < retry_at_) return;
  retry_at_ = now + rest_;
  const std::lock_guard<std::mutex> lock(mutex_);
  active_.fetch_add(1);
  readmitted_.notify_all();
}

}  // namespace gemma
