import type { Gemma } from "../../runtime/gemma.js";
import type { LoadProgress } from "../../runtime/protocol.js";
import type { Availability } from "./types.js";

/** A loaded model, or how to load it for the first session. */
export type PromptApiSource =
  | Gemma
  | ((options: { readonly onProgress: (progress: LoadProgress) => void }) => Promise<Gemma>);

/** The one model of all sessions. A load that has failed is tried again by the next session. */
export class ModelLoad {
  private loading: Promise<Gemma> | null = null;
  private loaded: boolean;
  private readonly listeners = new Set<(fraction: number) => void>();

  constructor(private readonly source: PromptApiSource) {
    this.loaded = typeof source !== "function";
  }

  get availability(): Availability {
    if (this.loaded) return "available";
    return this.loading === null ? "downloadable" : "downloading";
  }

  /** @param onFraction how much of the download is there: 0 first, then growing numbers below 1, then 1 */
  async model(onFraction: (fraction: number) => void): Promise<Gemma> {
    onFraction(0);
    let highest = 0;
    const listener = (fraction: number) => {
      if (fraction <= highest || fraction >= 1) return;
      highest = fraction;
      onFraction(fraction);
    };
    this.listeners.add(listener);
    try {
      const gemma = await this.load();
      onFraction(1);
      return gemma;
    } finally {
      this.listeners.delete(listener);
    }
  }

  private load(): Promise<Gemma> {
    const { source } = this;
    if (typeof source !== "function") return Promise.resolve(source);
    this.loading ??= source({ onProgress: (progress) => this.tell(progress) }).then(
      (gemma) => {
        this.loaded = true;
        return gemma;
      },
      (error) => {
        this.loading = null;
        throw error;
      },
    );
    return this.loading;
  }

  private tell({ phase, done, total }: LoadProgress): void {
    if (phase !== "download" || total === 0) return;
    for (const listener of this.listeners) listener(done / total);
  }
}
