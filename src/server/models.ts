import { GemmaError } from "../base/errors.js";
import type { Supervisor } from "./supervisor.js";

/** A model as requests name it. */
export interface NamedModel {
  readonly id: string;
  /** The adapter that it stands for; none: the base model. */
  readonly adapter?: string;
}

/** Ollama's clients put it behind every name. */
const LATEST = ":latest";

/** The names of what is served: the base model, its aliases, and `base:adapter` for each adapter. */
export class Models {
  /** Seconds since 1970. */
  readonly created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly supervisor: Supervisor,
    private readonly aliases: readonly string[],
  ) {}

  /** The base model's own name. @throws ERR_NOT_READY */
  get base(): string {
    return this.supervisor.engine.info.name;
  }

  /** @throws ERR_NOT_READY */
  list(): readonly NamedModel[] {
    const { info, adapters } = this.supervisor.engine;
    return [
      ...[info.name, ...this.aliases].map((id) => ({ id })),
      ...adapters.map((adapter) => ({ id: `${info.name}:${adapter}`, adapter })),
    ];
  }

  /** @param name  none: the base model. @throws ERR_UNKNOWN_MODEL, ERR_NOT_READY */
  resolve(name: string | null | undefined): NamedModel {
    const models = this.list();
    const found = name ? find(models, name) : models[0];
    if (found) return found;
    const known = models.map(({ id }) => id).join(", ");
    throw new GemmaError("ERR_UNKNOWN_MODEL", `model: must be one of ${known}, got ${name?.slice(0, 100)}`, {
      param: "model",
    });
  }

  /** Whether a request that names it is answered now. */
  knows(name: string): boolean {
    return this.supervisor.state === "ready" && find(this.list(), name) !== undefined;
  }
}

/** An adapter goes by its own name as well, as vLLM has it. */
function find(models: readonly NamedModel[], name: string): NamedModel | undefined {
  const plain = name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : name;
  return (
    models.find(({ id }) => id === name) ??
    models.find(({ adapter }) => adapter === name) ??
    models.find(({ id }) => id === plain)
  );
}
