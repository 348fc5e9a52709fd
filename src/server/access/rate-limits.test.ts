import { expect, test } from "vitest";
import { RateLimits } from "./rate-limits.js";

test("requests a minute, each caller for itself", async () => {
  const rates = new RateLimits();
  const limits = { requestsPerMinute: 2 };
  await rates.take("a", limits);
  await rates.take("a", limits);
  const refusal = await rates.take("a", limits).catch((error) => error);
  expect(refusal).toMatchObject({ code: "ERR_RATE_LIMITED" });
  expect(refusal.retryAfterSeconds).toBeGreaterThan(50);
  expect(refusal.retryAfterSeconds).toBeLessThanOrEqual(60);
  await rates.take("b", limits);
});

test("tokens a minute: the request that goes beyond is done, the next one waits", async () => {
  const rates = new RateLimits();
  const limits = { tokensPerMinute: 100 };
  await rates.take("a", limits);
  await rates.count("a", 250, limits);
  await expect(rates.take("a", limits)).rejects.toMatchObject({ code: "ERR_RATE_LIMITED" });
  await rates.take("b", limits);
});

test("no limit is none", async () => {
  const rates = new RateLimits();
  for (let i = 0; i < 100; i++) await rates.take("a", {});
  await rates.count("a", 1e9, {});
  await rates.take("a", {});
  expect(rates).toBeInstanceOf(RateLimits);
});
