import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { GemmaError } from "../../base/errors.js";

/** What one caller may use in a minute; undefined: as much as there is. */
export interface Rates {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

const MINUTE_SECONDS = 60;

/** Requests and tokens a minute of each caller. */
export class RateLimits {
  private readonly limiters = new Map<string, RateLimiterMemory>(); // by kind and size

  /** Counts a request of `caller`. @throws ERR_RATE_LIMITED when it, or the tokens, are used up */
  async take(caller: string, { requestsPerMinute, tokensPerMinute }: Rates): Promise<void> {
    if (tokensPerMinute !== undefined) {
      const used = await this.limiter("tokens", tokensPerMinute).get(caller);
      if (used !== null && used.consumedPoints >= tokensPerMinute) throw usedUp("tokens", tokensPerMinute, used);
    }
    if (requestsPerMinute === undefined) return;
    try {
      await this.limiter("requests", requestsPerMinute).consume(caller);
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      throw usedUp("requests", requestsPerMinute, refusal as RateLimiterRes);
    }
  }

  /** Counts tokens that a request of `caller` took: the next ones wait for it. */
  async count(caller: string, tokens: number, { tokensPerMinute }: Rates): Promise<void> {
    if (tokensPerMinute !== undefined) await this.limiter("tokens", tokensPerMinute).penalty(caller, tokens);
  }

  private limiter(kind: string, points: number): RateLimiterMemory {
    const keyPrefix = `${kind} ${points}`;
    let limiter = this.limiters.get(keyPrefix);
    if (!limiter) {
      limiter = new RateLimiterMemory({ keyPrefix, points, duration: MINUTE_SECONDS });
      this.limiters.set(keyPrefix, limiter);
    }
    return limiter;
  }
}

function usedUp(what: string, most: number, { msBeforeNext }: RateLimiterRes): GemmaError {
  return new GemmaError("ERR_RATE_LIMITED", `rate: must be at most ${most} ${what} a minute, got more`, {
    retryAfterSeconds: msBeforeNext / 1000,
  });
}
