import type { Backend } from "../backend/backend.js";
import type { KvCache, KvDtype } from "../backend/kv.js";
import type { Dropout } from "../backend/ops/dropout.js";
import { Tape } from "../backend/tape.js";
import type { Tensor } from "../backend/tensor.js";
import { GemmaError } from "../base/errors.js";
import { type Adapter, stepLora } from "../model/adapter.js";
import type { GemmaConfig } from "../model/config.js";
import { forward, type GemmaScratch, type GemmaWeights, scoreIds } from "../model/gemma.js";
import { groupWindows, kvLayout } from "../model/kv-layout.js";
import { ScratchPool } from "../model/scratch.js";
import type { Sequence } from "./data/encode-examples.js";
import type { Parameter } from "./parameters.js";
import { pagesFor, type StepLimits, StepPlanner, type TrainingPlan } from "./step-plan.js";

export interface TrainerOptions extends StepLimits {
  /** Keep the input of each block alone and compute its inside anew. Default: true. */
  readonly checkpoints?: boolean;
  /** Type of keys and values between writeKv and attention. Default: "f32". */
  readonly kv?: KvDtype;
}

/**
 * Losses of sequences and their gradients in the parameters of a model, by the forward pass that inference uses: with int8
 * activations, too, where gradients are those of the function that is not rounded, at the values of the one that is.
 */
export class Trainer {
  private readonly tape: Tape;
  private readonly scratch: ScratchPool;
  private readonly cache: KvCache;
  private readonly planner: StepPlanner;
  private readonly losses: Tensor; // [R]
  private readonly top: { readonly ids: Tensor; readonly logProbs: Tensor }; // [R]

  /**
   * @param parameters what gradients are added to; the embedding's gradient is that of the head, too
   * @throws ERR_UNSUPPORTED_OP for a backend that cannot train, ERR_OUT_OF_MEMORY
   */
  constructor(
    private readonly be: Backend,
    private readonly config: GemmaConfig,
    private readonly weights: GemmaWeights,
    private readonly parameters: readonly Parameter[],
    private readonly options: TrainerOptions,
  ) {
    expectTrains(be);
    const { maxRows } = options;
    const windows = groupWindows(config);
    this.tape = new Tape(be);
    for (const { value, gradient, weight } of parameters) this.tape.train(weight ?? value, gradient);
    this.scratch = new ScratchPool(this.tape, config, maxRows, maxRows, 1);
    this.cache = be.kvCache(
      kvLayout(
        config,
        options.kv ?? "f32",
        windows.map(() => pagesFor(options)),
      ),
    );
    this.planner = new StepPlanner(be, options, windows.length);
    this.losses = be.tensor("f32", [maxRows]);
    this.top = { ids: be.tensor("i32", [maxRows]), logProbs: be.tensor("f32", [maxRows]) };
  }

  /**
   * Adds the gradient of weight · (the sum of the losses of all targets) to the parameters. A batch's mean loss over its targets
   * has weight 1 / (the number of targets of all its steps).
   * @param dropout of the adapter's inputs, with a seed of this step's own
   * @returns the sum of the losses, not weighted, in nats
   */
  async addGradients(
    sequences: readonly Sequence[],
    adapter: Adapter | null,
    weight: number,
    dropout: Dropout | null = null,
  ): Promise<number> {
    const step = this.planner.plan(sequences, weight);
    const losses = await this.recorded(step, adapter, dropout, async (scratch) => this.crossEntropy(step, scratch));
    return sum(await this.be.read(losses));
  }

  /**
   * The same for a loss that is made of the sequences' log-probabilities.
   * @param slopesOf the derivative of the loss in each sequence's log-probability (the sum over its targets), given those
   * @throws ERR_UNSUPPORTED_OPTION where the head is trained: its gradient would need the slopes before they are known
   */
  async addGradientsOf(
    sequences: readonly Sequence[],
    adapter: Adapter | null,
    slopesOf: (logProbs: readonly number[]) => readonly number[],
    dropout: Dropout | null = null,
  ): Promise<void> {
    if (this.headGradient !== null) {
      throw new GemmaError("ERR_UNSUPPORTED_OPTION", "tune: preferences must train an adapter, not the whole model");
    }
    const step = this.planner.plan(sequences, 1);
    await this.recorded(step, adapter, dropout, async (scratch) => {
      const losses = await this.be.read(this.crossEntropy(step, scratch));
      const logProbs = step.spans.map(({ first, count }) => -sum(losses.subarray(first, first + count)));
      const dLast = this.tape.seed(scratch.last);
      const width = this.config.hiddenSize;
      for (const [s, slope] of slopesOf(logProbs).entries()) {
        const { first, count } = step.spans[s]!;
        const rows = this.be.view(dLast, [count, width], first * width);
        this.be.scale(rows, rows, Math.fround(-slope)); // dLast is the gradient of the losses
      }
    });
  }

  /** Log-probability of each sequence's targets, summed, in nats. No gradient. */
  async logProbs(sequences: readonly Sequence[], adapter: Adapter | null): Promise<number[]> {
    const step = this.planner.plan(sequences, 1);
    const scratch = this.forward(this.be, step, adapter);
    const rows = step.targets.shape[0]!;
    const logProbs = this.be.view(this.losses, [rows]);
    const out = {
      logProbs,
      topIds: this.be.view(this.top.ids, [rows]),
      topLogProbs: this.be.view(this.top.logProbs, [rows]),
    };
    scoreIds(this.be, this.config, this.weights, scratch, out, step.targetRows, step.targets);
    const values = await this.be.read(logProbs);
    return step.spans.map(({ first, count }) => sum(values.subarray(first, first + count)));
  }

  /** Bytes that the tape took for its largest step so far. */
  get scratchBytes(): number {
    return this.tape.scratchBytes;
  }

  /** Frees what the trainer made; the model and its parameters stay. */
  free(): void {
    this.tape.freeScratch();
    this.scratch.free();
    this.planner.free();
    for (const handle of [this.cache, this.losses, this.top.ids, this.top.logProbs]) this.be.free(handle);
  }

  private get headGradient(): Tensor | null {
    return this.parameters.find(({ weight }) => weight === this.weights.embedding)?.gradient ?? null;
  }

  /** Forward, then back from what `seed` wrote as the gradient in scratch.last. A step that fails leaves no recording. */
  private async recorded<Result>(
    step: TrainingPlan,
    adapter: Adapter | null,
    dropout: Dropout | null,
    seed: (scratch: GemmaScratch) => Promise<Result>,
  ): Promise<Result> {
    this.tape.begin({ checkpoints: this.options.checkpoints ?? true, dropout });
    try {
      const result = await seed(this.forward(this.tape, step, adapter));
      this.tape.backward();
      return result;
    } catch (error) {
      this.tape.cancel();
      throw error;
    }
  }

  private forward(be: Backend, { plan, rows, targets }: TrainingPlan, adapter: Adapter | null): GemmaScratch {
    const { config, weights, cache } = this;
    const outputs = targets.shape[0]!;
    const scratch = this.scratch.take(rows, outputs);
    const layers = config.numHiddenLayers;
    const every = (count: number) => Array.from({ length: count }, (_, row) => row);
    const lora = adapter && stepLora(Array(rows).fill(adapter), every(outputs), layers); // all rows are alike
    forward(be, config, weights, scratch, cache, plan, lora, (layer) => {
      if (layer < layers - 1) this.tape.checkpoint(scratch.x, layer === layers - 2);
    });
    return scratch;
  }

  /** Losses of the step's targets, and the gradient in scratch.last. */
  private crossEntropy(step: TrainingPlan, scratch: GemmaScratch): Tensor {
    const losses = this.be.view(this.losses, step.targets.shape);
    const out = { losses, dx: this.tape.seed(scratch.last), dHead: this.headGradient };
    const { embedding } = this.weights;
    this.be.crossEntropy(out, scratch.last, embedding, this.config.finalLogitSoftcapping, step.targets, step.weights);
    return losses;
  }
}

/** @throws ERR_UNSUPPORTED_OP for a backend that cannot train */
export function expectTrains(be: Backend): void {
  if (be.lacks.length === 0) return;
  throw new GemmaError("ERR_UNSUPPORTED_OP", `tune: the backend must have ${be.lacks[0]}, ${be.info().name} lacks it`, {
    hint: "train on the backend native, wasm or reference (--backend)",
  });
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
