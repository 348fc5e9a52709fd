// Which instruction sets there are, and which of them this CPU runs.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace gemma {

/** Kernels of the instruction sets that this CPU and system can run, best first. Never empty. */
const std::vector<const Kernels*>& runnable_kernels();

/** The kernels of that name; the best for an empty one. nullptr: unknown or not runnable here. */
const Kernels* find_kernels(const std::string& isa);

}  // namespace gemma
