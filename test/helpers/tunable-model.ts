import type { Backend, BackendFactory } from "../../src/backend/backend.js";
import { checked } from "../../src/backend/checked.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import { openCheckpoint } from "../../src/load/open.js";
import { openAdapter } from "../../src/load/open-adapter.js";
import type { Adapter } from "../../src/model/adapter.js";
import { loadAdapter } from "../../src/model/adapter-peft.js";
import type { GemmaConfig } from "../../src/model/config.js";
import type { GemmaWeights } from "../../src/model/gemma.js";
import { loadWeights } from "../../src/model/weights.js";
import { fullParameters, loraParameters, type Parameter } from "../../src/tune/parameters.js";
import { Trainer, type TrainerOptions } from "../../src/tune/trainer.js";

export interface Tunable {
  readonly parameters: Parameter[];
  readonly trainer: Trainer;
}

const LIMITS = { maxRows: 128, maxSequences: 4, maxLength: 48 };

/** A tiny model in f32, ready to be tuned. */
export class TunableModel {
  private constructor(
    readonly be: Backend,
    readonly config: GemmaConfig,
    readonly weights: GemmaWeights,
  ) {}

  static async open(
    path: string,
    watch: (be: Backend) => Backend = (be) => be,
    factory: BackendFactory = referenceBackend,
  ): Promise<TunableModel> {
    const be = watch(checked(await factory.create({ activations: "f32" })));
    const checkpoint = openCheckpoint(path);
    const { config, naming, tensors } = checkpoint;
    const weights = await loadWeights(be, config, tensors, { naming });
    checkpoint.close();
    return new TunableModel(be, config, weights);
  }

  /** With the adapter in a folder. */
  lora(folder: string, options: Partial<TrainerOptions> = {}): Tunable & { readonly adapter: Adapter } {
    const opened = openAdapter(folder, this.config);
    const adapter = loadAdapter(this.be, "test", opened.adapter);
    opened.close();
    const parameters = loraParameters(this.be, adapter);
    return { adapter, parameters, trainer: this.trainer(this.weights, parameters, options) };
  }

  full(options: Partial<TrainerOptions> = {}): Tunable {
    const { weights, parameters } = fullParameters(this.be, this.config, this.weights);
    return { parameters, trainer: this.trainer(weights, parameters, options) };
  }

  trainer(weights: GemmaWeights, parameters: readonly Parameter[], options: Partial<TrainerOptions> = {}): Trainer {
    return new Trainer(this.be, this.config, weights, parameters, { ...LIMITS, ...options });
  }
}
