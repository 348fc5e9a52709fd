// What this machine can do at most, as one line of JSON: limits THREADS wall|cpu [MIB]
//   readGBs     GB/s of plain reads of MIB (default 1024) MiB
//   matvecGBs   GB/s of 8-bit weights, read once and multiplied with a vector that stays in the cache
//   dotGops     10^9 operations a second of 8-bit dot products on registers alone, two operations a multiply-add
//   fmaGflops   the same of f32 multiply-adds; bf16Gflops of bf16 dot products, 0 where the CPU has none
// Without a unit of its own a number is plain C++: what the compiler makes of it.
// Best of several runs each: other processes can only lower a number, less so where CPU time counts. Compile with -O3 -march=native -pthread.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// V: a register of bytes, and of 32-bit sums. dot: each sum gains four products of unsigned w and signed x.
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define UNIT "AVX-512 VNNI"
using V = __m512i;
static V zero() { return _mm512_setzero_si512(); }
static V load(const uint8_t* p) { return _mm512_load_si512(p); }
static V four(const int8_t* p) { int32_t v; memcpy(&v, p, 4); return _mm512_set1_epi32(v); }
static V dot(V sum, V w, V x) { return _mm512_dpbusd_epi32(sum, w, x); }
static V mix(V a, V b) { return _mm512_xor_si512(a, b); }
#elif defined(__AVX2__)
using V = __m256i;
static V zero() { return _mm256_setzero_si256(); }
static V load(const uint8_t* p) { return _mm256_load_si256(reinterpret_cast<const V*>(p)); }
static V four(const int8_t* p) { int32_t v; memcpy(&v, p, 4); return _mm256_set1_epi32(v); }
static V mix(V a, V b) { return _mm256_xor_si256(a, b); }
#if defined(__AVXVNNI__)
#define UNIT "AVX-VNNI"
static V dot(V sum, V w, V x) { return _mm256_dpbusd_avx_epi32(sum, w, x); }
#else
#define UNIT "AVX2"
static V dot(V sum, V w, V x) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
}
#endif
#elif defined(__ARM_FEATURE_DOTPROD)
#define UNIT "NEON dot product"
using V = int32x4_t;
static V zero() { return vdupq_n_s32(0); }
static V load(const uint8_t* p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
static V four(const int8_t* p) { int32_t v; memcpy(&v, p, 4); return vdupq_n_s32(v); }
static V dot(V sum, V w, V x) { return vdotq_s32(sum, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(x)); }
static V mix(V a, V b) { return veorq_s32(a, b); }
#else
#define UNIT "plain C++"
struct V { int32_t lanes[4]; };
static V zero() { return V{}; }
static V load(const uint8_t* p) { V v; memcpy(&v, p, sizeof v); return v; }
static V four(const int8_t* p) { int32_t v; memcpy(&v, p, 4); return V{{v, v, v, v}}; }
static V dot(V sum, V w, V x) {
  uint8_t a[16]; int8_t b[16];
  memcpy(a, &w, 16); memcpy(b, &x, 16);
  for (int i = 0; i < 16; i++) sum.lanes[i / 4] += a[i] * b[i];
  return sum;
}
static V mix(V a, V b) { for (int i = 0; i < 4; i++) a.lanes[i] ^= b.lanes[i]; return a; }
#endif

// F: a register of f32. fma: sum + a * b. dot_bf16: each sum gains two products of bf16 pairs.
#if defined(__AVX512F__)
using F = __m512;
static F same(float v) { return _mm512_set1_ps(v); }
static F fma(F sum, F a, F b) { return _mm512_fmadd_ps(a, b, sum); }
#elif defined(__AVX2__) && defined(__FMA__)
using F = __m256;
static F same(float v) { return _mm256_set1_ps(v); }
static F fma(F sum, F a, F b) { return _mm256_fmadd_ps(a, b, sum); }
#elif defined(__ARM_NEON)
using F = float32x4_t;
static F same(float v) { return vdupq_n_f32(v); }
static F fma(F sum, F a, F b) { return vfmaq_f32(sum, a, b); }
#else
struct F { float lanes[4]; };
static F same(float v) { return F{{v, v, v, v}}; }
static F fma(F sum, F a, F b) {
  for (int i = 0; i < 4; i++) sum.lanes[i] += a.lanes[i] * b.lanes[i];
  return sum;
}
#endif
#if defined(__AVX512BF16__)
#define HAS_BF16 true
static F dot_bf16(F sum, F a, F b) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}
#else
#define HAS_BF16 false
static F dot_bf16(F sum, F, F) { return sum; }
#endif

// The compiler must take a register for used, and may know nothing about its value.
#if defined(__x86_64__) && defined(__AVX2__)
#define KEEP(v) asm volatile("" : "+v"(v))
#elif defined(__ARM_FEATURE_DOTPROD)
#define KEEP(v) asm volatile("" : "+w"(v))
#else
#define KEEP(v) asm volatile("" : "+m"(v))
#endif

static constexpr size_t HUGE_PAGE = 2 << 20;
static constexpr int RUNS = 6;
static constexpr int CHAINS = 8;            // independent sums: enough to hide an instruction's latency
static constexpr size_t VECTOR_BYTES = 2048; // of the matrix-vector product's x
static constexpr long ROUNDS = 8'000'000;     // of instructions on registers alone

/** Without this nothing would be computed. */
static void keep_all(const V (&sums)[CHAINS]) {
  V all = sums[0];
  for (int i = 1; i < CHAINS; i++) all = mix(all, sums[i]);
  KEEP(all);
}

static void read_all(const uint8_t* bytes, size_t size) {
  V sums[CHAINS];
  for (V& sum : sums) sum = zero();
  for (size_t at = 0; at + CHAINS * sizeof(V) <= size; at += CHAINS * sizeof(V)) {
#pragma GCC unroll 8
    for (int i = 0; i < CHAINS; i++) sums[i] = mix(sums[i], load(bytes + at + i * sizeof(V)));
  }
  keep_all(sums);
}

/** Panels as the product's kernels have them: a register holds 4 weights of each of its rows. */
static void multiply(const uint8_t* weights, size_t size) {
  alignas(64) int8_t x[VECTOR_BYTES];
  for (size_t i = 0; i < VECTOR_BYTES; i++) x[i] = static_cast<int8_t>(i % 251);
  const size_t panel = VECTOR_BYTES / 4 * sizeof(V);
  for (size_t at = 0; at + panel <= size; at += panel) {
    V sums[CHAINS];
    for (V& sum : sums) sum = zero();
    for (size_t k = 0; k < VECTOR_BYTES / 4; k += CHAINS) {
#pragma GCC unroll 8
      for (int i = 0; i < CHAINS; i++) {
        sums[i] = dot(sums[i], load(weights + at + (k + i) * sizeof(V)), four(x + 4 * (k + i)));
      }
    }
    keep_all(sums);
  }
}

static void dot_only() {
  alignas(64) int8_t starts[4 * CHAINS];
  for (int i = 0; i < 4 * CHAINS; i++) starts[i] = static_cast<int8_t>(i); // equal chains would become one
  V sums[CHAINS], w = four(starts), x = four(starts + 4);
  for (int i = 0; i < CHAINS; i++) sums[i] = four(starts + 4 * i);
  for (long round = 0; round < ROUNDS; round++) {
    KEEP(w);
#pragma GCC unroll 8
    for (int i = 0; i < CHAINS; i++) sums[i] = dot(sums[i], w, x);
  }
  keep_all(sums);
}

/** `step` adds to a sum of floats. */
template <class Step>
static void floats_only(Step step) {
  F sums[CHAINS], a = same(1), b = same(0);
  for (int i = 0; i < CHAINS; i++) sums[i] = same(static_cast<float>(i));
  for (long round = 0; round < ROUNDS; round++) {
    KEEP(a);
#pragma GCC unroll 8
    for (int i = 0; i < CHAINS; i++) sums[i] = step(sums[i], a, b);
  }
#pragma GCC unroll 8
  for (F& sum : sums) KEEP(sum);
}

static bool counts_cpu_time = false;

static double seconds_now() {
  if (counts_cpu_time) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/** Seconds of the fastest run of `work(thread)` on all threads at once; of CPU time the share of one. */
template <class Work>
static double best(int threads, Work work) {
  double least = 1e9;
  for (int run = 0; run < RUNS; run++) {
    const double start = seconds_now();
    std::vector<std::thread> others;
    for (int t = 1; t < threads; t++) others.emplace_back(work, t);
    work(0);
    for (std::thread& other : others) other.join();
    least = std::min(least, (seconds_now() - start) / (counts_cpu_time ? threads : 1));
  }
  return least;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  counts_cpu_time = argc > 2 && strcmp(argv[2], "cpu") == 0;
  const size_t size = (argc > 3 ? strtoull(argv[3], nullptr, 10) : 1024) << 20;
  // Huge pages where there are: a limit is not one of the TLB.
  auto* bytes = threads > 0 ? static_cast<uint8_t*>(aligned_alloc(HUGE_PAGE, size)) : nullptr;
  if (bytes == nullptr) return fprintf(stderr, "usage: limits THREADS wall|cpu [MIB]\n"), 1;
#if defined(__linux__)
  madvise(bytes, size, MADV_HUGEPAGE);
#endif
  memset(bytes, 3, size);
  const size_t part = size / threads / 4096 * 4096;
  const double reading = best(threads, [&](int t) { read_all(bytes + t * part, part); });
  const double multiplying = best(threads, [&](int t) { multiply(bytes + t * part, part); });
  const double dots = best(threads, [&](int) { dot_only(); });
  const double fmas = best(threads, [&](int) { floats_only(fma); });
  const double bf16_dots = HAS_BF16 ? best(threads, [&](int) { floats_only(dot_bf16); }) : 0;
  const double gb = 1e-9 * part * threads;
  const double products = 1e-9 * CHAINS * ROUNDS * threads; // of whole registers
  printf("{\"unit\":\"%s\",\"threads\":%d,\"bytes\":%zu,\"readGBs\":%.2f,\"matvecGBs\":%.2f,", UNIT, threads, size,
         gb / reading, gb / multiplying);
  printf("\"dotGops\":%.0f,\"fmaGflops\":%.0f,\"bf16Gflops\":%.0f}\n", 2 * sizeof(V) * products / dots,
         2 * sizeof(F) / 4 * products / fmas, HAS_BF16 ? 2 * sizeof(F) / 2 * products / bf16_dots : 0);
}
