import type { Backend } from "../backend/backend.js";
import type { Tensor } from "../backend/tensor.js";
import { GemmaError } from "../base/errors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import { type Adapter, type LoraPair, PROJECTIONS, type Projection } from "./adapter.js";
import { type AdapterConfig, parseAdapterConfig } from "./adapter-peft-config.js";
import type { GemmaConfig } from "./config.js";
import { FLOAT_DTYPES, type MatchedTensor } from "./match.js";
import {
  type Dimension,
  dimensions,
  type ExpectedTensor,
  HF_PREFIXES,
  LAYER_TENSORS,
  type LayerTensorName,
} from "./tensors.js";
import { readFloats } from "./weights.js";

/** A checked adapter, not yet on a backend. */
export interface PeftAdapter {
  readonly config: AdapterConfig;
  /** Pairs of each layer of the base. */
  readonly layers: readonly ReadonlyMap<Projection, PeftPair>[];
}

export interface PeftPair {
  readonly a: StoredMatrix; // [r, in]
  readonly b: StoredMatrix; // [out, r]
  readonly scale: number;
}

export type StoredMatrix = Pick<MatchedTensor, "info" | "dtype">;

const FIELDS: Readonly<Record<Projection, LayerTensorName>> = {
  q: "wq",
  k: "wk",
  v: "wv",
  o: "wo",
  gate: "wGate",
  up: "wUp",
  down: "wDown",
};

/** One of the seven matrices: its name in PEFT (`self_attn.q_proj`) and its two dimensions. */
interface Module {
  readonly projection: Projection;
  readonly path: string;
  readonly shape: readonly [Dimension, Dimension]; // [out, in]
}

const MODULES: readonly Module[] = PROJECTIONS.map((projection) => {
  const spec = LAYER_TENSORS.find(({ name }) => name === FIELDS[projection])!;
  const path = spec.hf.replace("layers.%.", "").replace(".weight", "");
  return { projection, path, shape: [spec.shape[0], spec.shape[1]!] };
});

/** A matrix's name in PEFT, within its layer: `self_attn.q_proj`. */
export function peftModule(projection: Projection): string {
  return MODULES.find((module) => module.projection === projection)!.path;
}

/** The pair that changes a tensor of the model, if the adapter has one. */
export function pairOf(adapter: PeftAdapter, { name, layer }: ExpectedTensor): PeftPair | undefined {
  const projection = PROJECTIONS.find((candidate) => FIELDS[candidate] === name);
  return projection && layer !== null ? adapter.layers[layer]?.get(projection) : undefined;
}

/**
 * Checks a PEFT LoRA adapter (adapter_config.json and the tensors of adapter_model.safetensors) against the base
 * model's configuration. No weight is read.
 *
 * @param where the adapter's folder, for messages
 * @throws ERR_BASE_MISMATCH, ERR_SHAPE_MISMATCH, ERR_MISSING_TENSOR, ERR_INVALID_DTYPE, and what
 *   parseAdapterConfig throws
 */
export function parsePeftAdapter(
  configJson: Uint8Array | string,
  tensors: ReadonlyMap<string, TensorInfo>,
  base: GemmaConfig,
  where: string,
): PeftAdapter {
  const config = parseAdapterConfig(configJson, `${where}: adapter_config.json`);
  checkTargets(config, where);
  const parts = new Map<string, AdapterPart>();
  for (const info of tensors.values()) {
    const part = readName(info.name, base, where);
    const previous = parts.get(part.key);
    if (previous?.[part.side] !== undefined) {
      throw new GemmaError(
        "ERR_DUPLICATE_NAME",
        `${where}: ${info.name} must occur once, got another prefix before it`,
      );
    }
    parts.set(part.key, { ...previous, ...part, [part.side]: info });
  }
  if (parts.size === 0) throw new GemmaError("ERR_MISSING_TENSOR", `${where}: must have LoRA tensors, got none`);
  const layers = Array.from({ length: base.numHiddenLayers }, () => new Map<Projection, PeftPair>());
  for (const part of parts.values()) {
    layers[part.layer]!.set(part.module.projection, pair(part, config, base, where));
  }
  checkCompleteness(config, layers, where);
  return { config, layers };
}

/** Puts an adapter's pairs on the backend as f32, or none of them. @throws ERR_OUT_OF_MEMORY, ERR_TRUNCATED, ERR_IO */
export function loadAdapter(be: Backend, name: string, adapter: PeftAdapter): Adapter {
  const made: Tensor[] = [];
  const matrix = (stored: StoredMatrix) => {
    const values = readFloats(stored);
    const tensor = be.tensor("f32", stored.info.shape);
    made.push(tensor);
    be.write(tensor, values);
    return tensor;
  };
  try {
    const layers = adapter.layers.map((pairs) => {
      const loaded = new Map<Projection, LoraPair>();
      for (const [projection, { a, b, scale }] of pairs) loaded.set(projection, { a: matrix(a), b: matrix(b), scale });
      return loaded;
    });
    return { name, layers };
  } catch (error) {
    for (const tensor of made) be.free(tensor);
    throw error;
  }
}

/** Frees an adapter's tensors. */
export function freeAdapter(be: Backend, adapter: Adapter): void {
  for (const pairs of adapter.layers) {
    for (const { a, b } of pairs.values()) {
      be.free(a);
      be.free(b);
    }
  }
}

interface AdapterPart {
  /** Layer and module. */
  readonly key: string;
  readonly layer: number;
  readonly module: Module;
  readonly side: "a" | "b";
  readonly a?: TensorInfo;
  readonly b?: TensorInfo;
}

const MAX_NAME_LENGTH = 256; // bounds the pattern's work
const TENSOR_NAME = /^base_model\.model\.(.*)layers\.(\d{1,4})\.(.+)\.lora_([AB])\.weight$/;

/** Splits `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
function readName(name: string, base: GemmaConfig, where: string): AdapterPart {
  const found = name.length <= MAX_NAME_LENGTH ? TENSOR_NAME.exec(name) : null;
  const [, prefix = "", layer = "", path = "", letter = ""] = found ?? [];
  const module = MODULES.find((candidate) => candidate.path === path);
  if (module === undefined || !HF_PREFIXES.some((known) => known === prefix)) {
    throw new GemmaError(
      "ERR_BASE_MISMATCH",
      `${where}: tensors must belong to one of Gemma's projections, got ${name.slice(0, 120)}`,
    );
  }
  if (Number(layer) >= base.numHiddenLayers) {
    throw new GemmaError(
      "ERR_BASE_MISMATCH",
      `${where}: layers must be below the base's ${base.numHiddenLayers}, got ${name}`,
    );
  }
  return { key: `${Number(layer)}.${path}`, layer: Number(layer), module, side: letter === "A" ? "a" : "b" };
}

function pair(part: AdapterPart, config: AdapterConfig, base: GemmaConfig, where: string): PeftPair {
  const what = `${where}: layers.${part.layer}.${part.module.path}`;
  const { a, b } = part;
  if (a === undefined || b === undefined) {
    const [needed, got] = a === undefined ? ["lora_A", "lora_B"] : ["lora_B", "lora_A"];
    throw new GemmaError("ERR_MISSING_TENSOR", `${what} must have ${needed} beside ${got}, got no such tensor`);
  }
  const sizes = dimensions(base);
  const [out, width] = [sizes[part.module.shape[0]], sizes[part.module.shape[1]]];
  const { rank, scale } = config.forModule(`layers.${part.layer}.${part.module.path}`);
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== rank || b.shape[1] !== rank) {
    throw new GemmaError(
      "ERR_SHAPE_MISMATCH",
      `${what}: A and B must be [${rank}, in] and [out, ${rank}], got [${a.shape}] and [${b.shape}]`,
    );
  }
  if (a.shape[1] !== width || b.shape[0] !== out) {
    throw new GemmaError(
      "ERR_BASE_MISMATCH",
      `${what} must fit the base's [${out}, ${width}], got [${b.shape[0]}, ${a.shape[1]}]`,
    );
  }
  return { a: floatMatrix(a, where), b: floatMatrix(b, where), scale };
}

function floatMatrix(info: TensorInfo, where: string): StoredMatrix {
  const dtype = FLOAT_DTYPES.find((name) => name === info.dtype);
  if (dtype !== undefined) return { info, dtype };
  throw new GemmaError("ERR_INVALID_DTYPE", `${where}: ${info.name} must be F32, F16 or BF16, got ${info.dtype}`);
}

/** Whether target_modules names a module: by its last part, or by a longer end of its path. */
function targets(target: string, modulePath: string): boolean {
  return target === modulePath || modulePath.endsWith(`.${target}`) || target.endsWith(`.${modulePath}`);
}

function checkTargets({ targetModules }: AdapterConfig, where: string): void {
  const stray = targetModules?.find((target) => !MODULES.some(({ path }) => targets(target, path)));
  if (stray === undefined) return;
  throw new GemmaError(
    "ERR_BASE_MISMATCH",
    `${where}: target_modules must name Gemma's projections (q_proj … down_proj), got ${stray.slice(0, 80)}`,
  );
}

/** Every target has its pairs: in each layer, unless the configuration picks layers. */
function checkCompleteness(
  config: AdapterConfig,
  layers: readonly ReadonlyMap<Projection, PeftPair>[],
  where: string,
): void {
  for (const target of config.targetModules ?? []) {
    const module = MODULES.find(({ path }) => targets(target, path))!;
    const short = module.path.endsWith(target); // a longer target picks layers by itself
    const present = layers.filter((pairs) => pairs.has(module.projection)).length;
    if (present === layers.length || ((config.picksLayers || !short) && present > 0)) continue;
    throw new GemmaError(
      "ERR_MISSING_TENSOR",
      `${where}: ${target} must have pairs in ${layers.length} layers, got ${present}`,
    );
  }
}
