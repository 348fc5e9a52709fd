#include "packing.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

namespace gemma {
namespace {

constexpr size_t SLICE_BYTES = size_t{1} << 18;  // read at once; it stays in a core's cache until it is packed

/** Whether the descriptor is of that file and it has all rows; a device might never end. */
bool is_file_of_rows(const FileRows& rows, uint64_t size) {
  struct stat info = {};
  if (fstat(rows.descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (static_cast<double>(info.st_ino) != rows.inode) return false;
  if (static_cast<uint64_t>(info.st_size) != rows.file_size) return false;
  return rows.offset <= rows.file_size && size <= rows.file_size - rows.offset;
}

/** false: the file could not be read, or ends before. */
bool read_all(int descriptor, uint8_t* bytes, size_t size, uint64_t offset) {
  while (size > 0) {
    const ssize_t count = pread(descriptor, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
    offset += static_cast<uint64_t>(count);
  }
  return true;
}

}  // namespace

PackArgs pack_part(const PackArgs& matrix, size_t first_panel, size_t rows, const uint8_t* source) {
  PackArgs part = matrix;
  part.source = source;
  part.rows = rows;
  part.panels += first_panel * matrix.panel_bytes;
  if (part.low != nullptr) part.low += first_panel * lower_panel_bytes(matrix.columns);
  return part;
}

PackJob::PackJob(Packer& packer, const PackArgs& matrix, const FileRows& rows)
    : packer_(packer), matrix_(matrix), rows_(rows), panels_((matrix.rows + PANEL_ROWS - 1) / PANEL_ROWS) {
  const std::lock_guard<std::mutex> lock(packer_.mutex_);
  if (is_file_of_rows(rows_, matrix_.rows * matrix_.row_bytes) && packer_.start_threads()) {
    packer_.jobs_.push_back(this);
    packer_.work_came_.notify_all();
  } else {
    packer_.give_up(*this);
  }
}

PackJob::~PackJob() {
  std::unique_lock<std::mutex> lock(packer_.mutex_);
  packer_.give_up(*this);
  packer_.slice_ended_.wait(lock, [&] { return has_ended(); });
}

PackJob::State PackJob::wait(std::chrono::milliseconds most) {
  std::unique_lock<std::mutex> lock(packer_.mutex_);
  if (!packer_.slice_ended_.wait_for(lock, most, [&] { return has_ended(); })) return State::waiting;
  return has_failed_ ? State::failed : State::packed;
}

Packer::~Packer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    work_came_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

/** false: the system has started none. */
bool Packer::start_threads() {
  try {
    while (threads_.size() < most_threads_) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
  }
  return !threads_.empty();
}

void Packer::work() {
  Scratch buffer;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (jobs_.empty()) buffer = Scratch();
    work_came_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    PackJob& job = *jobs_.front();
    const size_t step = std::max<size_t>(1, SLICE_BYTES / (PANEL_ROWS * job.matrix_.row_bytes));
    const size_t begin = job.next_, end = std::min(begin + step, job.panels_);
    job.next_ = end;
    job.slices_ += 1;
    if (end == job.panels_) jobs_.pop_front();
    lock.unlock();
    const bool is_packed = pack(job, begin, end, buffer);
    lock.lock();
    if (!is_packed) give_up(job);
    job.slices_ -= 1;
    if (job.has_ended()) slice_ended_.notify_all();
  }
}

bool Packer::pack(const PackJob& job, size_t begin, size_t end, Scratch& buffer) const {
  const PackArgs& matrix = job.matrix_;
  const size_t first = begin * PANEL_ROWS, rows = std::min(end * PANEL_ROWS, matrix.rows) - first;
  const size_t size = rows * matrix.row_bytes;
  try {
    uint8_t* const bytes = buffer.get<uint8_t>(size);
    if (!read_all(job.rows_.descriptor, bytes, size, job.rows_.offset + first * matrix.row_bytes)) return false;
    kernels_.pack(pack_part(matrix, begin, rows, bytes), 0, end - begin);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

/** Claims what is left of the job for nobody. */
void Packer::give_up(PackJob& job) {
  job.has_failed_ = true;
  job.next_ = job.panels_;
  jobs_.erase(std::remove(jobs_.begin(), jobs_.end(), &job), jobs_.end());
}

}  // namespace gemma
