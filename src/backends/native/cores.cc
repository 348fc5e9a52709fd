// How many threads a process should use: default_threads of pool.h.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include "pool.h"

namespace gemma {
namespace {

#if defined(__linux__)

/** Cores of the affinity mask; two hardware threads of one core count once. 0: unknown. */
size_t allowed_cores() {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 0;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = "cpu " + std::to_string(cpu);
    cores.insert(siblings);
  }
  return cores.size();
}

/** CPUs' worth of time that one cgroup folder grants; infinity: no limit there. */
double quota_of(const std::string& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream(folder + "/cpu.max") >> quota >> period && quota != "max" && period > 0) {
    return std::atof(quota.c_str()) / period;  // version 2
  }
  double microseconds = 0;
  const bool is_v1 = static_cast<bool>(std::ifstream(folder + "/cpu.cfs_quota_us") >> microseconds) &&
                     static_cast<bool>(std::ifstream(folder + "/cpu.cfs_period_us") >> period);
  return is_v1 && microseconds > 0 && period > 0 ? microseconds / period : INFINITY;
}

/** The tightest quota on the way from this process's cgroup to the root. In a container its own group is the root. */
double cgroup_quota() {
  double quota = std::min(quota_of("/sys/fs/cgroup"), quota_of("/sys/fs/cgroup/cpu"));
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // number:controllers:path
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string mount = is_v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string path = line.substr(second + 1); path.size() > 1; path.erase(path.rfind('/'))) {
      quota = std::min(quota, quota_of(mount + path));
    }
  }
  return quota;
}

#elif defined(__APPLE__)

size_t allowed_cores() {
  int cores = 0;
  size_t size = sizeof cores;
  // The fast cores: a loop waits for its slowest thread.
  if (sysctlbyname("hw.perflevel0.physicalcpu", &cores, &size, nullptr, 0) == 0 && cores > 0) return cores;
  if (sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0) == 0 && cores > 0) return cores;
  return 0;
}

double cgroup_quota() { return INFINITY; }

#else

size_t allowed_cores() { return 0; }
double cgroup_quota() { return INFINITY; }

#endif

}  // namespace

size_t default_threads() {
  size_t cores = allowed_cores();
  if (cores == 0) cores = std::thread::hardware_concurrency();
  const double quota = std::ceil(cgroup_quota());
  if (quota < static_cast<double>(cores)) cores = static_cast<size_t>(quota);
  return std::clamp<size_t>(cores, 1, 256);
}

}  // namespace gemma
