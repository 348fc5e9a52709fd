export { init, run, serve } from "./jobs";
export { xBytes } from "./prepare-x";

/** Where the heap may begin. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
