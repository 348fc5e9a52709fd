// Random numbers that depend on a seed and an index alone: the same in any batch and on any thread. See src/base/rng.ts.
#pragma once

#include <cstdint>

namespace gemma {

/** The 64-bit finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
inline uint64_t mix64(uint64_t value) {
  uint64_t z = value + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/** In [0, 1), 32 random bits: uniformAt of src/base/rng.ts, bit for bit; mixed_seed is mix64(seed). */
inline double draw_at(uint64_t mixed_seed, uint64_t index) {
  return static_cast<double>(mix64(mixed_seed + index) >> 32) / 4294967296.0;
}

}  // namespace gemma
