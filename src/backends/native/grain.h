// How many items of an operation a thread takes at once: some microseconds of work.
#pragma once

#include <algorithm>
#include <cstddef>

namespace gemma {

// Elements.
constexpr size_t CHEAP = size_t{1} << 15;
constexpr size_t COSTLY = size_t{1} << 13;

/** Rows of this width. */
inline size_t row_grain(size_t width) { return std::max<size_t>(1, COSTLY / std::max<size_t>(1, width)); }

}  // namespace gemma
