import { describe, expect, test } from "vitest";
import { heldBy } from "./leftovers.mjs";
import { parseMetrics, total } from "./metrics.mjs";

const TEXT = `# HELP gemma_num_requests_running now
# TYPE gemma_num_requests_running gauge
gemma_num_requests_running{model_name="m"} 0
gemma_num_requests_waiting{model_name="m"} 2
gemma_cache_pages{group="0",state="total"} 100
gemma_cache_pages{group="1",state="total"} 40
gemma_cache_pages{group="0",state="free"} 90
gemma_cache_pages{group="1",state="free"} 30
gemma_cache_pages{group="0",state="remembered"} 10
gemma_cache_pages{group="1",state="remembered"} 7
vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="a \\"b\\""} 12 1700000000
odd +Inf
`;

describe("parseMetrics", () => {
  const metrics = parseMetrics(TEXT);

  test("sums over labels", () => {
    expect(total(metrics, "gemma_cache_pages")).toBe(277);
    expect(total(metrics, "gemma_cache_pages", { state: "total" })).toBe(140);
    expect(total(metrics, "gemma_cache_pages", { state: "total", group: "1" })).toBe(40);
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
  const quiet = TEXT.replace('waiting{model_name="m"} 2', 'waiting{model_name="m"} 0').replace("} 7", "} 10");
  expect(heldBy(parseMetrics(quiet))).toBe("");
});
