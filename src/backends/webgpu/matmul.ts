import type { Gpu } from "./gpu.js";
import type { GpuTensor, GpuWeight } from "./memory.js";
import type { KernelSpec } from "./shaders.js";

/** Up to so many rows of x the weights are read once for each four of them; beyond, tiles are. */
const FEW_ROWS = 8;
const SLICE = 128; // of the sum over k: matmul-rows.wgsl
const PANEL = 32;
const TILE_X = 32;
const TILE_W = 64;

/** out[t, n] = sum_k x[t, k] · weight[n, k]: every kernel has the same order of sums. `out` begins at a word of the arena. */
export function multiply(gpu: Gpu, out: Pick<GpuTensor, "at">, x: Pick<GpuTensor, "at" | "shape">, w: GpuWeight): void {
  const rows = x.shape[0]!;
  if (rows === 0) return;
  const { dtype, blocks, parts, shape } = w;
  const [outWidth, width] = shape;
  for (const { buffer, planes, firstRow, rows: partRows } of parts) {
    const ints = [...planes, blocks, out.at, x.at, rows, width, outWidth, firstRow, partRows];
    if (rows > FEW_ROWS) {
      const groups = [Math.ceil(partRows / TILE_W), Math.ceil(rows / TILE_X), 1] as const;
      gpu.run({ name: "matmulTiles", dtype }, groups, ints, [], [buffer]);
    } else {
      const constants = rows === 1 ? { ROWS_AT_ONCE: 1, SPLIT: splitOf(width) } : { ROWS_AT_ONCE: 4, SPLIT: 4 };
      const spec: KernelSpec = { name: "matmulRows", dtype, constants };
      const groups = [Math.ceil(partRows / PANEL), 1, Math.ceil(rows / constants.ROWS_AT_ONCE)] as const;
      gpu.run(spec, groups, ints, [], [buffer]);
    }
  }
}

/** Parts of the sum that lanes work at side by side: about as many as there are slices. Four rows of x take four parts of
 *  memory, and 16 KB have to do. */
function splitOf(width: number): number {
  const slices = Math.ceil(width / SLICE);
  return slices > 4 ? 8 : 4;
}
