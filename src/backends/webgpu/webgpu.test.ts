import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  conformanceReport,
  invarianceReport,
  LANE_OPS,
  type Report,
  wgslExempt,
} from "../../../test/helpers/conformance.js";
import { useSwiftShader } from "../../../test/helpers/swiftshader.js";
import type { Backend } from "../../backend/backend.js";
import { checked } from "../../backend/checked.js";
import { referenceBackend } from "../reference/index.js";
import { createWebgpu, webgpuBackend } from "./index.js";

// npm run test:webgpu runs every case; the quick tests leave the longest to it: a GPU in software is slow.
const WHOLE = process.env.GEMMA_WEBGPU_WHOLE === "1";
const QUICK_WORK = 150_000;
const QUICK_ROWS = /^(matmul (Q8_0|Q4_K) \[(37|13|19), |attention (f32|int8) \[64\] H 34 window 5|scoreIds BF16)/;
const LONG = /^(matmul|attention|chooseIds|scoreIds)/;

useSwiftShader();
const available = await webgpuBackend.available();
if (available !== true) console.warn(`SKIPPED: tests of the webgpu backend: ${available}`);

function expectPassed(what: string, { ran, leftOut, failures }: Report): void {
  for (const [reason, count] of Object.entries(leftOut)) console.warn(`${what}: ${count} cases left out: ${reason}`);
  expect(failures).toEqual([]);
  expect(ran).toBeGreaterThan(0);
}

describe.skipIf(available !== true)("conformance", () => {
  let oracle: Backend;
  beforeAll(async () => {
    oracle = await referenceBackend.create({ activations: "f32" });
  });
  afterAll(() => oracle.dispose());

  test.each(["f32", "f32+subgroups"])("%s agrees with the reference", { timeout: 400_000 }, async (isa) => {
    const { backend } = await createWebgpu({ isa });
    const selection = isa === "f32" || WHOLE ? {} : { ops: LANE_OPS };
    const size = WHOLE ? {} : { mostWork: QUICK_WORK };
    const report = await conformanceReport(backend, oracle, { ...selection, ...size, exempt: wgslExempt(!WHOLE) });
    backend.dispose();
    expectPassed(isa, report);
  });

  test("rows do not depend on their batch", { timeout: 400_000 }, async () => {
    const { backend } = await createWebgpu();
    const report = await invarianceReport(
      checked(backend),
      (name) => WHOLE || QUICK_ROWS.test(name) || !LONG.test(name),
    );
    backend.dispose();
    expectPassed("rows", report);
  });

  test("a matrix beyond the size of a buffer is split by rows", async () => {
    const { backend } = await createWebgpu({ isa: "f32", mostWeightBytes: 1 << 18 });
    const ops = ["embed", "matmul"];
    const exempt = ({ data }: { data: unknown }) => {
      const { V = 0, N = 0 } = data as { V?: number; N?: number };
      return V < 500 && N < 2048 ? "fits into one buffer" : null;
    };
    const report = await conformanceReport(backend, oracle, { ops, exempt, mostWork: 3_000_000 });
    backend.dispose();
    expectPassed("split", report);
  });
});
