#include "isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace gemma {

// kernels/table.cc defines one of these per instruction set that was compiled.
namespace scalar {
const Kernels& kernels();
}
#ifdef GEMMA_HAVE_AVX2
namespace avx2 {
const Kernels& kernels();
}
#endif
#ifdef GEMMA_HAVE_AVX2VNNI
namespace avx2vnni {
const Kernels& kernels();
}
#endif
#ifdef GEMMA_HAVE_AVX512
namespace avx512 {
const Kernels& kernels();
}
#endif
#ifdef GEMMA_HAVE_AVX512BF16
namespace avx512bf16 {
const Kernels& kernels();
}
#endif
#ifdef GEMMA_HAVE_NEON
namespace neon {
const Kernels& kernels();
}
#endif
#ifdef GEMMA_HAVE_NEONI8MM
namespace neoni8mm {
const Kernels& kernels();
}
#endif

namespace {

#if defined(__x86_64__)

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return Registers();
  return r;
}

bool has_bit(unsigned value, int bit) { return (value >> bit & 1) != 0; }

/** XCR0: the register states that the system saves for a process. */
unsigned saved_states() {
  if (!has_bit(cpuid(1, 0).c, 27)) return 0;  // OSXSAVE
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool runs_avx2() {
  const unsigned avx_states = 0x6;  // SSE and AVX
  const Registers one = cpuid(1, 0);
  const bool fma = has_bit(one.c, 12), avx = has_bit(one.c, 28), f16c = has_bit(one.c, 29);
  return avx && fma && f16c && has_bit(cpuid(7, 0).b, 5) && (saved_states() & avx_states) == avx_states;
}

bool runs_avx512() {
  const unsigned zmm_states = 0xe6;  // and the mask registers and both halves of ZMM
  const Registers seven = cpuid(7, 0);
  const bool f = has_bit(seven.b, 16), dq = has_bit(seven.b, 17), bw = has_bit(seven.b, 30), vl = has_bit(seven.b, 31);
  const bool vnni = has_bit(seven.c, 11);
  return runs_avx2() && f && dq && bw && vl && vnni && (saved_states() & zmm_states) == zmm_states;
}

bool runs_avx2vnni() {
#ifdef GEMMA_EVEX  // a build for tests, whose dot products are encoded as AVX-512's
  return runs_avx512();
#else
  return runs_avx2() && has_bit(cpuid(7, 1).a, 4);
#endif
}

bool runs_avx512bf16() { return runs_avx512() && has_bit(cpuid(7, 1).a, 5); }

#elif defined(__aarch64__)

#if defined(__APPLE__)

bool has(const char* feature) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(feature, &value, &size, nullptr, 0) == 0 && value != 0;
}

bool runs_neon() { return has("hw.optional.arm.FEAT_DotProd") && has("hw.optional.arm.FEAT_FP16"); }
bool runs_neoni8mm() { return runs_neon() && has("hw.optional.arm.FEAT_I8MM"); }

#elif defined(__linux__)

bool runs_neon() {
  const unsigned long needed = 1ul << 10 | 1ul << 20;  // HWCAP_ASIMDHP, HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & needed) == needed;
}
bool runs_neoni8mm() { return runs_neon() && (getauxval(AT_HWCAP2) & 1ul << 13) != 0; }  // HWCAP2_I8MM

#else

bool runs_neon() { return false; }
bool runs_neoni8mm() { return false; }

#endif

#endif

std::vector<const Kernels*> detect() {
  std::vector<const Kernels*> found;
#ifdef GEMMA_HAVE_AVX512BF16
  if (runs_avx512bf16()) found.push_back(&avx512bf16::kernels());
#endif
#ifdef GEMMA_HAVE_AVX512
  if (runs_avx512()) found.push_back(&avx512::kernels());
#endif
#ifdef GEMMA_HAVE_AVX2VNNI
  if (runs_avx2vnni()) found.push_back(&avx2vnni::kernels());
#endif
#ifdef GEMMA_HAVE_AVX2
  if (runs_avx2()) found.push_back(&avx2::kernels());
#endif
#ifdef GEMMA_HAVE_NEONI8MM
  if (runs_neoni8mm()) found.push_back(&neoni8mm::kernels());
#endif
#ifdef GEMMA_HAVE_NEON
  if (runs_neon()) found.push_back(&neon::kernels());
#endif
  found.push_back(&scalar::kernels());
  return found;
}

}  // namespace

const std::vector<const Kernels*>& runnable_kernels() {
  static const std::vector<const Kernels*> all = detect();
  return all;
}

const Kernels* find_kernels(const std::string& isa) {
  if (isa.empty()) return runnable_kernels().front();
  for (const Kernels* kernels : runnable_kernels()) {
    if (isa == kernels->isa) return kernels;
  }
  return nullptr;
}

}  // namespace gemma
