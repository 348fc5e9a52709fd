import { referenceBackend } from "../../src/backends/reference/index.js";
import { createWebgpu } from "../../src/backends/webgpu/index.js";
import { conformanceReport, type Report, type Selection, wgslExempt } from "../helpers/conformance.js";

// What the page under test runs.

async function run(selection: Selection, isQuick: boolean): Promise<Report & { isa: string }> {
  const { backend } = await createWebgpu();
  const oracle = await referenceBackend.create({ activations: "f32" });
  const report = await conformanceReport(backend, oracle, { ...selection, exempt: wgslExempt(isQuick) });
  const info = backend.info();
  backend.dispose();
  return { ...report, isa: info.isa };
}

Object.assign(globalThis, { runConformance: run });
