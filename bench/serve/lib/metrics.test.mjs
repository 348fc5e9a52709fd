import { describe, expect, test } from "vitest";
import { heldBy } from "./leftovers.mjs";
import { parseMetrics, total } from "./metrics.mjs";

const TEXT = `# HELP gemma_requests_running now
# TYPE gemma_requests_running gauge
gemma_requests_running 0
gemma_requests_waiting 2
gemma_cache_pages{group="0"} 100
gemma_cache_pages{group="1"} 40
gemma_cache_pages_free{group="0"} 90
gemma_cache_pages_free{group="1"} 30
gemma_cache_pages_remembered{group="0"} 10
gemma_cache_pages_remembered{group="1"} 7
vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="a \\"b\\""} 12 1700000000
odd +Inf
`;

describe("parseMetrics", () => {
  const metrics = parseMetrics(TEXT);

  test("sums over labels", () => {
    expect(total(metrics, "gemma_cache_pages")).toBe(140);
    expect(total(metrics, "odd")).toBe(Number.POSITIVE_INFINITY);
  });

  test("reads labels, names with colons and time stamps", () => {
    const [{ labels, value }] = metrics.get("vllm:time_to_first_token_seconds_bucket");
    expect(labels).toEqual({ le: "+Inf", model_name: 'a \\"b\\"' });
    expect(value).toBe(12);
  });

  test("a name that is not there is an error", () => {
    expect(() => total(metrics, "gemma_nothing")).toThrow("must have gemma_nothing");
  });
});

test("heldBy says what is neither free nor remembered", () => {
  expect(heldBy(parseMetrics(TEXT))).toBe("2 requests waiting, 3 pages");
  const quiet = TEXT.replace("waiting 2", "waiting 0").replace('remembered{group="1"} 7', 'remembered{group="1"} 10');
  expect(heldBy(parseMetrics(quiet))).toBe("");
});
