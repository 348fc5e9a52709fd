import type { StoredDtype } from "../../base/dtype.js";
import add from "./add.wgsl.js";
import attention from "./attention.wgsl.js";
import big from "./big.wgsl.js";
import cache from "./cache.wgsl.js";
import common from "./common.wgsl.js";
import embed from "./embed.wgsl.js";
import gatherRows from "./gather-rows.wgsl.js";
import geglu from "./geglu.wgsl.js";
import lanes from "./lanes.wgsl.js";
import lanesSubgroups from "./lanes-subgroups.wgsl.js";
import logProbs from "./log-probs.wgsl.js";
import loraDelta from "./lora-delta.wgsl.js";
import matmul from "./matmul.wgsl.js";
import matmulRows from "./matmul-rows.wgsl.js";
import matmulTiles from "./matmul-tiles.wgsl.js";
import productsF16 from "./products-f16.wgsl.js";
import productsF32 from "./products-f32.wgsl.js";
import rmsNorm from "./rms-norm.wgsl.js";
import rope from "./rope.wgsl.js";
import rowStats from "./row-stats.wgsl.js";
import sample from "./sample.wgsl.js";
import select from "./select.wgsl.js";
import softCap from "./soft-cap.wgsl.js";
import topIds from "./top-ids.wgsl.js";
import weights from "./weights.wgsl.js";
import weightsK from "./weights-k.wgsl.js";
import writeKv from "./write-kv.wgsl.js";

/** What a kernel binds beside the tensors and its parameters: nothing, a buffer to read, keys and values. */
export type BindKind = "plain" | "read" | "cache";

/** What the device and the caller let kernels use. */
export interface Units {
  readonly subgroups: boolean;
  /** Factors of matrix products are rounded to f16. */
  readonly f16: boolean;
}

interface KernelParts {
  readonly binds: BindKind;
  readonly parts: readonly string[];
  /** Multiplies weights: has `weight4` of a stored type, and products. */
  readonly weights?: true;
}

const KERNELS = {
  add: { binds: "plain", parts: [add] },
  attention: { binds: "cache", parts: [cache, attention] },
  embed: { binds: "read", parts: [embed], weights: true },
  gatherRows: { binds: "plain", parts: [gatherRows] },
  geglu: { binds: "plain", parts: [geglu] },
  logProbs: { binds: "plain", parts: [logProbs] },
  loraDelta: { binds: "plain", parts: [loraDelta] },
  matmulRows: { binds: "read", parts: [matmul, matmulRows], weights: true },
  matmulTiles: { binds: "read", parts: [matmul, matmulTiles], weights: true },
  rmsNorm: { binds: "plain", parts: [rmsNorm] },
  rope: { binds: "read", parts: [rope] },
  rowStats: { binds: "plain", parts: [select, big, rowStats] },
  sample: { binds: "read", parts: [select, big, sample] },
  softCap: { binds: "plain", parts: [softCap] },
  topIds: { binds: "plain", parts: [select, big, topIds] },
  writeKv: { binds: "cache", parts: [cache, writeKv] },
} as const satisfies Record<string, KernelParts>;

export type KernelName = keyof typeof KERNELS;

/** A variant of a kernel, compiled when it is first used. */
export interface KernelSpec {
  readonly name: KernelName;
  readonly entry?: string;
  /** Type of the weights that it multiplies. */
  readonly dtype?: StoredDtype;
  /** Constants of the shader that the variant fixes, u32. */
  readonly constants?: Readonly<Record<string, number>>;
}

export function bindsOf(name: KernelName): BindKind {
  return KERNELS[name].binds;
}

/** WGSL of a variant. The order of declarations means nothing there; only `enable` has to come first. */
export function sourceOf({ name, dtype, constants = {} }: KernelSpec, { subgroups, f16 }: Units): string {
  const kernel: KernelParts = KERNELS[name];
  const usesHalf = f16 && kernel.weights === true;
  const enabled = [...(subgroups ? ["subgroups"] : []), ...(usesHalf ? ["f16"] : [])];
  const fixed = Object.entries(constants).map(([key, value]) => `const ${key} = ${value}u;\n`);
  const reader = `fn weight4(row: u32, k4: u32) -> vec4<f32> {\n  return weight4_${dtype}(row, k4);\n}\n`;
  return [
    ...enabled.map((feature) => `enable ${feature};\n`),
    ...fixed,
    common,
    subgroups ? lanesSubgroups : lanes,
    ...kernel.parts,
    ...(kernel.weights ? [weights, weightsK, reader, usesHalf ? productsF16 : productsF32] : []),
  ].join("\n");
}
