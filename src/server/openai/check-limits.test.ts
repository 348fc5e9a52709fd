import { expect, test } from "vitest";
import { resolveServerOptions } from "../options/options.js";
import type { Serving } from "../serving.js";
import { checkLimits } from "./check-limits.js";

test("several choices of several prompts are not more texts than either alone may be", () => {
  const serving = { options: resolveServerOptions({ limits: { choices: 8, batchPrompts: 10 } }) } as Serving;
  checkLimits(serving, { n: 8 }, 1);
  checkLimits(serving, { n: 5 }, 2);
  checkLimits(serving, {}, 10);
  const refusal = "n: must be at most 3 for 3 prompts on this server, got 4";
  expect(() => checkLimits(serving, { n: 4 }, 3)).toThrow(refusal);
  expect(() => checkLimits(serving, { n: 9 }, 1)).toThrow("n: must be at most 8 on this server, got 9");
});
