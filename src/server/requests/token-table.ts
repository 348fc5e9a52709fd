import type { Gemma } from "../../runtime/gemma.js";

/** The bytes of the tokens that one request's log-probabilities name. */
export class TokenTable {
  private readonly known = new Map<number, Uint8Array>();

  constructor(private readonly engine: Gemma) {}

  /** Looks up what is not known yet: before bytesOf() is asked. */
  async load(ids: readonly number[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.known.has(id));
    if (missing.length === 0) return;
    const bytes = await this.engine.tokenBytes(missing);
    for (const [i, id] of missing.entries()) this.known.set(id, bytes[i]!);
  }

  readonly bytesOf = (id: number): Uint8Array => this.known.get(id)!;
}
