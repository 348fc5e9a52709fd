import type { Backend, BackendFactory, BackendOptions } from "../../src/backend/backend.js";
import { type KvCache, type KvDtype, PAGE_ROWS, type StepPlan } from "../../src/backend/kv.js";
import type { Tensor } from "../../src/backend/tensor.js";
import { nativeBackend } from "../../src/backends/native/index.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import { wasmBackend } from "../../src/backends/wasm/index.js";
import { openCheckpoint } from "../../src/load/open.js";
import { openAdapter } from "../../src/load/open-adapter.js";
import { type Adapter, type StepLora, stepLora } from "../../src/model/adapter.js";
import { loadAdapter } from "../../src/model/adapter-peft.js";
import type { GemmaConfig } from "../../src/model/config.js";
import { forward, type GemmaScratch, type GemmaWeights, head } from "../../src/model/gemma.js";
import { groupWindows, kvLayout } from "../../src/model/kv-layout.js";
import { ScratchPool } from "../../src/model/scratch.js";
import { loadWeights } from "../../src/model/weights.js";
import { argmax } from "../golden.js";

/** Rows of a step: `ids` are the tokens at positions start, start + 1 … of a sequence. */
export interface Chunk {
  readonly sequence: number;
  readonly start: number;
  readonly ids: readonly number[];
  readonly adapter?: Adapter;
}

/** What a model says of a sequence. */
export interface Scores {
  /** [T - 1]: of ids[i + 1] after ids[0..i]. */
  readonly logProbs: readonly number[];
  /** [T]: the most likely token after each position. */
  readonly top: readonly number[];
  /** [V] */
  readonly logits: Float32Array;
}

export interface TestModelOptions extends BackendOptions {
  readonly kv?: KvDtype;
  readonly maxRows?: number;
  readonly maxPositions?: number;
  readonly sequences?: number;
}

/** Of the reference, the native, the wasm ones and `more` those that run here; a missing one says why. */
export async function fidelityBackends(more: readonly BackendFactory[] = []): Promise<readonly BackendFactory[]> {
  const factories: BackendFactory[] = [];
  for (const factory of [referenceBackend, nativeBackend, wasmBackend, ...more]) {
    const available = await factory.available();
    if (available === true) factories.push(factory);
    else console.warn(`skipped: backend ${factory.name}: ${available}`);
  }
  return factories;
}

/** A model with a cache, driven by plans made by hand: no engine in between. */
export class TestModel {
  private readonly scratch: ScratchPool;
  private readonly cache: KvCache;
  private readonly blocks: number;

  private constructor(
    readonly be: Backend,
    readonly config: GemmaConfig,
    readonly weights: GemmaWeights,
    private readonly options: Required<Pick<TestModelOptions, "kv" | "maxRows" | "maxPositions" | "sequences">>,
  ) {
    this.scratch = new ScratchPool(be, config, options.maxRows, options.maxRows);
    this.blocks = Math.ceil(options.maxPositions / PAGE_ROWS);
    const pages = groupWindows(config).map(() => this.blocks * options.sequences);
    this.cache = be.kvCache(kvLayout(config, options.kv, pages));
  }

  static async open(factory: BackendFactory, path: string, options: TestModelOptions = {}): Promise<TestModel> {
    const { kv = "f32", maxRows = 128, maxPositions = 128, sequences = 3, ...backend } = options;
    const isa = factory.name === "native" ? process.env.GEMMA_TEST_ISA : undefined; // forces a path by hand
    const be = await factory.create({ activations: "f32", ...(isa ? { isa } : {}), ...backend });
    const checkpoint = openCheckpoint(path);
    const { config, naming, tensors } = checkpoint;
    const weights = await loadWeights(be, config, tensors, { naming });
    checkpoint.close();
    return new TestModel(be, config, weights, { kv, maxRows, maxPositions, sequences });
  }

  adapter(folder: string): Adapter {
    const opened = openAdapter(folder, this.config);
    const adapter = loadAdapter(this.be, "test", opened.adapter);
    opened.close();
    return adapter;
  }

  /** Runs one step and returns the logits of its rows, [T, V], or of those asked for, [R, V]. */
  async logits(chunks: readonly Chunk[], outputRows?: readonly number[]): Promise<Float32Array> {
    const scratch = this.run(chunks, outputRows);
    head(this.be, this.config, this.weights, scratch);
    return this.floats(scratch.logits);
  }

  /**
   * Runs a sequence from its start in steps of maxRows: of each position, what the model says comes next. The logits
   * are those after position `at`.
   */
  async score(ids: readonly number[], at = ids.length - 1): Promise<Scores> {
    const { be } = this;
    const logProbs: number[] = [];
    const top: number[] = [];
    let logits: Float32Array = new Float32Array(0);
    for (let start = 0; start < ids.length; start += this.options.maxRows) {
      const chunk = ids.slice(start, start + this.options.maxRows);
      const rows = chunk.length;
      const scratch = this.run([{ sequence: 0, start, ids: chunk }]);
      head(be, this.config, this.weights, scratch);
      const out = {
        logProbs: be.tensor("f32", [rows]),
        topIds: be.tensor("i32", [rows, 1]),
        topLogProbs: be.tensor("f32", [rows, 1]),
      };
      const next = chunk.map((_, row) => ids[start + row + 1] ?? 0);
      be.logProbs(out, scratch.logits, this.ints([rows], next));
      logProbs.push(...(await this.floats(out.logProbs)));
      top.push(...(await be.read(out.topIds)));
      if (at >= start && at < start + rows) {
        const size = this.config.vocabSize;
        logits = await this.floats(be.view(scratch.logits, [size], (at - start) * size));
      }
    }
    return { logProbs: logProbs.slice(0, -1), top, logits };
  }

  /** Runs one step and returns every hidden state that the goldens have. */
  async hiddenStates(chunks: readonly Chunk[]) {
    const { be, config } = this;
    const plan = this.plan(chunks);
    const rows = plan.ids.shape[0]!;
    const copy = () => be.tensor("f32", [rows, config.hiddenSize]);
    const embed = copy();
    be.embed(embed, this.weights.embedding, plan.ids, Math.sqrt(config.hiddenSize));
    const layers = Array.from({ length: config.numHiddenLayers }, copy);
    const scratch = this.scratch.take(rows, rows);
    forward(be, config, this.weights, scratch, this.cache, plan, null, (layer) => {
      const x = layer === config.numHiddenLayers - 1 ? scratch.outputs.x : scratch.x;
      be.gatherRows(layers[layer]!, x, plan.outputRows); // every row: a copy
    });
    head(be, config, this.weights, scratch);
    return {
      embed: await this.floats(embed),
      layers: await Promise.all(layers.map((layer) => this.floats(layer))),
      finalNorm: await this.floats(scratch.last),
      logits: await this.floats(scratch.logits),
    };
  }

  /** `count` tokens by the largest logit, one step each behind the prompt. */
  async greedy(prompt: readonly number[], count: number, sequence = 0): Promise<number[]> {
    const ids: number[] = [];
    const { maxRows } = this.options;
    let chunk: Chunk = { sequence, start: 0, ids: prompt.slice(0, maxRows) };
    for (let end = maxRows; end < prompt.length; end += maxRows) {
      this.run([chunk]);
      chunk = { sequence, start: end, ids: prompt.slice(end, end + maxRows) };
    }
    while (ids.length < count) {
      const logits = await this.logits([chunk]);
      const last = logits.subarray(logits.length - this.config.vocabSize);
      const next = argmax(last);
      ids.push(next);
      chunk = { sequence, start: chunk.start + chunk.ids.length, ids: [next] };
    }
    return ids;
  }

  dispose(): void {
    this.be.dispose();
  }

  private run(chunks: readonly Chunk[], outputRows: readonly number[] = allRows(chunks)): GemmaScratch {
    const plan = this.plan(chunks, outputRows);
    const scratch = this.scratch.take(plan.ids.shape[0]!, outputRows.length);
    const lora = this.lora(chunks, outputRows);
    forward(this.be, this.config, this.weights, scratch, this.cache, plan, lora);
    return scratch;
  }

  private plan(chunks: readonly Chunk[], outputRows: readonly number[] = allRows(chunks)): StepPlan {
    const positions = chunks.flatMap((chunk) => chunk.ids.map((_, i) => chunk.start + i));
    const sequences = chunks.flatMap((chunk, row) => chunk.ids.map(() => row));
    const pageTables = groupWindows(this.config).map((window) => this.pageTable(chunks, window));
    const column = (values: readonly number[]) => this.ints([values.length], values);
    const ofOutputs = (values: readonly number[]) => column(outputRows.map((row) => values[row]!));
    return {
      ids: column(chunks.flatMap((chunk) => chunk.ids)),
      positions: column(positions),
      sequences: column(sequences),
      pageTables,
      outputRows: column(outputRows),
      outputs: { positions: ofOutputs(positions), sequences: ofOutputs(sequences), pageTables },
    };
  }

  /** Pages in falling order, sequences interleaved; -1 wherever the step neither reads nor writes. */
  private pageTable(chunks: readonly Chunk[], window: number | null): Tensor {
    const { sequences } = this.options;
    const table = new Int32Array(chunks.length * this.blocks).fill(-1);
    for (const [row, { sequence, start, ids }] of chunks.entries()) {
      const first = window === null ? 0 : Math.max(0, start - (window - 1));
      const last = start + ids.length - 1;
      for (let block = Math.floor(first / PAGE_ROWS); block <= Math.floor(last / PAGE_ROWS); block++) {
        table[row * this.blocks + block] = (this.blocks - 1 - block) * sequences + sequence;
      }
    }
    return this.ints([chunks.length, this.blocks], table);
  }

  private lora(chunks: readonly Chunk[], outputRows: readonly number[]): StepLora {
    const adapters = chunks.flatMap(({ ids, adapter }) => ids.map(() => adapter ?? null));
    return stepLora(adapters, outputRows, this.config.numHiddenLayers);
  }

  private ints(shape: readonly number[], values: ArrayLike<number>): Tensor {
    const tensor = this.be.tensor("i32", shape);
    this.be.write(tensor, Int32Array.from(values));
    return tensor;
  }

  private async floats(tensor: Tensor): Promise<Float32Array> {
    return (await this.be.read(tensor)) as Float32Array;
  }
}

function allRows(chunks: readonly Chunk[]): number[] {
  return chunks.flatMap((chunk) => chunk.ids).map((_, row) => row);
}
