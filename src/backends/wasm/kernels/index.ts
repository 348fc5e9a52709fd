export { init, run, serve } from "./jobs";
export { xBytes, xQuantBytes } from "./prepare-x";
export { signedTile1, signedTile4, tile1, tile4, tile4Halves } from "./multiply-tile";
export * from "./row-variants";
export { screenNarrow, screenWide } from "./screen";

/** Where the heap may begin. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
