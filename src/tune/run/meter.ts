import type { EncodedExample } from "../data/encode-examples.js";
import { targetsOf, tokensOf } from "./plan.js";

/** What a run has cost so far, also before it was resumed. */
export interface Costs {
  readonly tokens: number;
  /** Tokens with a loss. */
  readonly targets: number;
  readonly examples: number;
  /** Of steps, without what is measured and saved between them. */
  readonly seconds: number;
  /** The most memory that its process has had; 0 in a page, which is not told. */
  readonly peakBytes: number;
}

export const NO_COSTS: Costs = { tokens: 0, targets: 0, examples: 0, seconds: 0, peakBytes: 0 };

/** Of the process; 0 in a page, which is not told. */
function peakMemoryBytes(): number {
  return 1024 * (globalThis.process?.resourceUsage?.().maxRSS ?? 0);
}

/** How fast steps are, and what they add up to. */
export class Meter {
  private startMs = 0;
  private stepMs = 0; // of late

  constructor(private costs: Costs) {}

  begin(): void {
    this.startMs = performance.now();
  }

  /** Of the step that began last. */
  after(
    examples: readonly EncodedExample[],
    stepsLeft: number,
  ): Costs & { readonly tokensPerSecond: number; readonly secondsLeft: number } {
    const tookMs = performance.now() - this.startMs;
    this.stepMs = this.stepMs === 0 ? tookMs : 0.9 * this.stepMs + 0.1 * tookMs;
    const tokens = examples.reduce((sum, example) => sum + tokensOf(example), 0);
    this.costs = {
      tokens: this.costs.tokens + tokens,
      targets: this.costs.targets + examples.reduce((sum, example) => sum + targetsOf(example), 0),
      examples: this.costs.examples + examples.length,
      seconds: Math.round(1000 * this.costs.seconds + tookMs) / 1000,
      peakBytes: Math.max(this.costs.peakBytes, peakMemoryBytes()),
    };
    return {
      ...this.costs,
      tokensPerSecond: Math.round((10_000 * tokens) / tookMs) / 10,
      secondsLeft: Math.ceil((this.stepMs * stepsLeft) / 1000),
    };
  }
}
