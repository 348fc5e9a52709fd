import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { TUNED_MODELS, type TunedModel } from "../load/tuned.js";
import type { LoadOptions } from "../runtime/gemma.js";
import type { CliContext } from "./context.js";
import { createOutput } from "./output.js";
import type { TuneReportFlags } from "./tune-report.js";
import { openSubjects } from "./tune-report-models.js";

// The list of the package's models is this thread's: the engine must be, too.
vi.mock("../runtime/gemma.js", async (original) => {
  const { Gemma } = await original<typeof import("../runtime/gemma.js")>();
  const load = (model: string, options: LoadOptions) => Gemma.load(model, { ...options, inProcess: true });
  return { Gemma: { load } };
});

const own: TunedModel = { name: "tiny-it", label: "a test", base: TINY.gemma3, adapter: TINY.adapter };
beforeAll(() => void (TUNED_MODELS as TunedModel[]).push(own));
afterAll(() => void (TUNED_MODELS as TunedModel[]).pop());

const silent = { isTTY: false, write: () => true };
const context = {
  output: createOutput(false, { stdout: silent, stderr: silent, env: {} }),
  signal: new AbortController().signal,
} as CliContext;
const open = (flags: Partial<TuneReportFlags>) => {
  const small = { backend: "reference", activations: "f32", ctx: 64, screenHead: true, template: "none" } as const;
  return openSubjects({ ...small, ...flags } as TuneReportFlags, null, context);
};
const QUESTION = [{ role: "user", content: "ab cd" }] as const;

test("a model of the package is told apart from its base, and its adapter named", async () => {
  const opened = await open({ model: TINY.gemma3, tuned: "tiny-it" });
  const { before, after, subjects } = opened;
  expect(before.adapter).toBe(null);
  expect(after).toEqual({ ...before, name: TINY.gemma3, adapter: { name: "tiny-it", sha256: expect.any(String) } });
  expect(subjects.before.identity).not.toBe(subjects.after.identity);
  const [untuned, tuned] = await Promise.all(
    [subjects.before, subjects.after].map((one) => one.answer(QUESTION, { maxTokens: 8 })),
  );
  const apart = await open({ model: TINY.gemma3, adapter: TINY.adapter });
  expect(apart.after.adapter!.sha256).toBe(after.adapter!.sha256);
  expect(await apart.subjects.after.answer(QUESTION, { maxTokens: 8 })).toEqual(tuned);
  expect(tuned).not.toEqual(untuned);
  await Promise.all([opened.dispose(), apart.dispose()]);
});
