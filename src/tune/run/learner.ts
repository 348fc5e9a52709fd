import type { Backend } from "../../backend/backend.js";
import type { Dropout } from "../../backend/ops/dropout.js";
import type { Adapter } from "../../model/adapter.js";
import type { GemmaConfig } from "../../model/config.js";
import type { GemmaWeights } from "../../model/gemma.js";
import type { EncodedExample } from "../data/encode-examples.js";
import { addDpoGradients, type Preference, pairLosses } from "../dpo.js";
import { Optimizer } from "../optimizer.js";
import { fullParameters, loraParameters, type Parameter, zeroGradients } from "../parameters.js";
import { Trainer, type TrainerOptions } from "../trainer.js";
import type { TuneConfig } from "./config.js";
import { newAdapter } from "./init-lora.js";
import { targetsOf } from "./plan.js";

/** Sums over examples: divide by `count` for the mean. */
export interface Measured {
  readonly loss: number;
  /** Learned tokens, or pairs. */
  readonly count: number;
  /** Pairs whose chosen answer has gained on the rejected one. */
  readonly gained: number;
}

/** A model with what a method trains of it. */
export class Learner {
  readonly parameters: readonly Parameter[];
  readonly optimizer: Optimizer;
  /** null: the whole model is trained. */
  readonly adapter: Adapter | null;
  private readonly trainer: Trainer;

  /** @throws ERR_OUT_OF_MEMORY, and what the Trainer throws */
  constructor(
    readonly be: Backend,
    readonly base: GemmaConfig,
    weights: GemmaWeights,
    private readonly config: TuneConfig,
    options: Omit<TrainerOptions, "kv">,
  ) {
    let trained = weights;
    if (config.method === "full") {
      const full = fullParameters(be, base, weights);
      this.adapter = null;
      this.parameters = full.parameters;
      trained = full.weights;
    } else {
      this.adapter = newAdapter(be, base, config, config.seed);
      this.parameters = loraParameters(be, this.adapter);
    }
    const { beta1, beta2, epsilon: eps, weightDecay } = config;
    try {
      this.trainer = new Trainer(be, base, trained, this.parameters, {
        ...options,
        kv: config.activations === "int8" ? "bf16" : "f32",
      });
      this.optimizer = new Optimizer(be, this.parameters, { beta1, beta2, eps, weightDecay });
    } catch (error) {
      this.freeParameters();
      throw error;
    }
  }

  /** What losses are means over: learned tokens, or pairs. */
  count(examples: readonly EncodedExample[]): number {
    if (this.config.method === "dpo") return examples.length;
    return examples.reduce((sum, example) => sum + targetsOf(example), 0);
  }

  /**
   * Adds a micro-batch's part of the gradient.
   * @param total of `count` over the whole step
   * @param seed  of dropout
   * @returns its part of the step's mean loss
   */
  async addGradients(examples: readonly EncodedExample[], total: number, seed: number): Promise<number> {
    const { config, trainer, adapter } = this;
    const dropout: Dropout | null =
      config.method !== "full" && config.dropout > 0 ? { rate: config.dropout, seed } : null;
    if (config.method === "dpo") {
      const { loss } = await addDpoGradients(trainer, pairsOf(examples), adapter!, config.beta, 1 / total, dropout);
      return loss;
    }
    const sequences = examples.flatMap(({ sequences }) => sequences);
    return (await trainer.addGradients(sequences, adapter, 1 / total, dropout)) / total;
  }

  /** Frees what the learner made, the adapter too; weights that are trained themselves stay. */
  free(): void {
    this.trainer.free();
    this.optimizer.free();
    this.freeParameters();
  }

  private freeParameters(): void {
    for (const { value, gradient } of this.parameters) {
      this.be.free(gradient);
      if (this.adapter !== null) this.be.free(value);
    }
  }

  zeroGradients(): void {
    zeroGradients(this.be, this.parameters);
  }

  /** Losses of a micro-batch without gradients. */
  async measure(examples: readonly EncodedExample[]): Promise<Measured> {
    const { config, trainer, adapter } = this;
    if (config.method === "dpo") {
      const losses = await pairLosses(trainer, pairsOf(examples), adapter!, config.beta);
      return {
        loss: losses.reduce((sum, { loss }) => sum + loss, 0),
        count: losses.length,
        gained: losses.filter(({ margin }) => margin > 0).length,
      };
    }
    const sequences = examples.flatMap(({ sequences }) => sequences);
    const logProbs = await trainer.logProbs(sequences, adapter);
    return { loss: -logProbs.reduce((sum, value) => sum + value, 0), count: this.count(examples), gained: 0 };
  }
}

function pairsOf(examples: readonly EncodedExample[]): readonly Preference[] {
  return examples.map(({ sequences: [chosen, rejected] }) => ({ chosen: chosen!, rejected: rejected! }));
}
