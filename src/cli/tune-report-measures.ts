import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { GemmaError } from "../base/errors.js";
import type { TaskPlan } from "../eval/plan.js";
import type { RunProgram } from "../eval/task.js";
import { answerMeasure, type PromptItem, taskMetricMeasure } from "../eval/tuning/answer-measure.js";
import { benchmarkMeasure } from "../eval/tuning/benchmark-measure.js";
import { type HeldOutItem, heldOutMeasure } from "../eval/tuning/held-out-measure.js";
import type { AnyMeasure } from "../eval/tuning/measure.js";
import { textMeasure, textWindows } from "../eval/tuning/text-measure.js";
import type { ReportOrigin } from "../eval/tuning/tuning-report.js";
import { decodeUtf8 } from "../format/utf8.js";
import { readFile } from "../load/files.js";
import { instructionJudgements } from "../runtime/answer-judgements.js";
import { type HeldOutExamples, heldOutOfRun } from "../runtime/tune-held-out.js";
import { heldOutItems, type PieceExample } from "../runtime/tuning-subject.js";
import type { Example } from "../tune/data/example.js";
import { fileSource } from "../tune/data/file-source.js";
import type { TuneTemplate } from "../tune/data/pieces.js";
import { readExamples } from "../tune/data/read-examples.js";
import type { CliContext } from "./context.js";
import { withPullProgress } from "./pull-progress.js";
import type { TuneReportFlags } from "./tune-report.js";
import { readPrompts } from "./tune-report-prompts.js";
import type { SafetySet } from "./tune-report-safety.js";

const MAX_TEXT_BYTES = 256 << 20;

/** All that is measured, read and checked before a model is loaded. */
export interface ReportData {
  readonly heldOut: readonly Example[] | null;
  readonly shots: readonly Example[] | null;
  readonly prompts: readonly PromptItem[] | null;
  readonly texts: readonly { readonly name: string; readonly windows: readonly string[] }[];
  readonly plans: readonly TaskPlan[];
  readonly safety: readonly SafetySet[];
  readonly notes: readonly string[];
  readonly files: ReportOrigin["data"];
}

export async function readReportData(
  flags: TuneReportFlags,
  plans: readonly TaskPlan[],
  safety: readonly SafetySet[],
  context: CliContext,
): Promise<ReportData> {
  const { run, heldOut, shots, prompts, metric, answers } = flags;
  if (shots !== undefined && metric === undefined) {
    throw new GemmaError("ERR_USAGE", "tune report: --shots needs --metric, which they are for");
  }
  const files: { name: string; sha256: string; items: number }[] = [];
  const told = (path: string, items: number) => files.push({ name: basename(path), sha256: sha256Of(path), items });
  const examplesOf = async (path: string | undefined) => {
    if (path === undefined) return null;
    const { examples } = await readExamples([await fileSource(path)], { signal: context.signal });
    told(path, examples.length);
    return examples;
  };
  const notes: string[] = [];
  const shotExamples = await examplesOf(shots);
  let heldOutExamples = await examplesOf(heldOut);
  if (run !== undefined && heldOut === undefined) {
    const own = await heldOutBy(run, context);
    if (own === "gone") notes.push("What the run held out cannot be had again, and is not measured.");
    else if (own !== null) {
      heldOutExamples = own.examples;
      files.push({ name: `held out by ${basename(resolve(run))}`, sha256: own.sha256, items: own.examples.length });
    }
  }
  if (metric !== undefined && heldOutExamples === null) {
    throw new GemmaError("ERR_USAGE", "tune report: --metric needs --held-out with the right answers");
  }
  if (heldOutExamples !== null && shotExamples !== null) {
    const known = new Set(shotExamples.map(contentOf));
    const kept = heldOutExamples.filter((example) => !known.has(contentOf(example)));
    const left = heldOutExamples.length - kept.length;
    if (left > 0) notes.push(`${left} held-out examples are among the worked ones and are left out.`);
    heldOutExamples = kept;
  }
  let instructions: readonly PromptItem[] | null = null;
  if (prompts !== undefined) {
    const all = await readPrompts(prompts);
    told(prompts, all.length);
    instructions = all.slice(0, answers);
    if (all.length > answers) notes.push(`The first ${answers} of ${all.length} instructions are answered.`);
  }
  const texts = flags.text.map((path) => {
    const text = decodeUtf8(readFile(path, MAX_TEXT_BYTES), path);
    const windows = textWindows(text, flags.windows);
    if (windows.length === 0) throw new GemmaError("ERR_BAD_DATA", `${path}: must have text, got none`);
    told(path, windows.length);
    return { name: basename(path), windows };
  });
  for (const { files: ofPlan, items } of plans) {
    for (const { name, sha256 } of ofPlan) files.push({ name: basename(name), sha256, items: items.length });
  }
  for (const { file } of safety) files.push(file);
  notes.push(...safety.flatMap((set) => set.notes));
  return { heldOut: heldOutExamples, shots: shotExamples, prompts: instructions, texts, plans, safety, notes, files };
}

/** What a run held out. "gone": its data are not what they were. */
async function heldOutBy(run: string, context: CliContext): Promise<HeldOutExamples | null | "gone"> {
  try {
    return await withPullProgress(context, (pull) => heldOutOfRun(run, pull));
  } catch (error) {
    if (!(error instanceof GemmaError)) throw error;
    context.output.note(`what the run held out is not measured: ${error.message}`);
    return "gone";
  }
}

/** The measures of the data, the target's first. */
export function measuresOf(
  data: ReportData,
  flags: TuneReportFlags,
  template: TuneTemplate,
  runProgram: RunProgram | undefined,
): { readonly measures: readonly AnyMeasure<PieceExample>[]; readonly notes: readonly string[] } {
  const { metric, maxTokens, answers, seed } = flags;
  const measures: AnyMeasure<PieceExample>[] = [];
  const notes: string[] = [];
  if (data.heldOut !== null) {
    const items = heldOutItems(data.heldOut, template);
    if (metric !== undefined) {
      const all = items.flatMap(answerable);
      const asked = all.slice(0, answers);
      if (asked.length === 0)
        throw new GemmaError("ERR_USAGE", "tune report: --metric needs questions, got plain texts");
      if (asked.length < all.length)
        notes.push(`The first ${answers} of ${all.length} held-out questions are answered.`);
      const shots = data.shots === null ? undefined : heldOutItems(data.shots, template).flatMap(answerable);
      if (shots !== undefined) {
        const worked = shots.map(({ messages, reference }) => ({ messages, answer: reference }));
        measures.push(taskMetricMeasure(asked, { metric, maxTokens, shots: worked }));
      }
      measures.push(taskMetricMeasure(asked, { metric, maxTokens }));
    }
    measures.push(heldOutMeasure(items));
  }
  if (data.prompts !== null) {
    const judgements = instructionJudgements(maxTokens);
    measures.push(answerMeasure({ title: "instructions", items: data.prompts, maxTokens, judgements }));
  }
  const instruments = { seed, ...(runProgram === undefined ? {} : { runProgram }) };
  for (const plan of data.plans) measures.push(benchmarkMeasure(plan, instruments));
  for (const text of data.texts) measures.push(textMeasure(text));
  for (const { sets } of data.safety) measures.push(...sets.map((set) => answerMeasure<PieceExample>(set)));
  return { measures, notes };
}

function answerable<E>({ id, messages, reference }: HeldOutItem<E>): (PromptItem & { readonly reference: string })[] {
  return reference === null || messages.length === 0 ? [] : [{ id, messages, reference }];
}

/** Equal for the same example in another place. */
function contentOf({ at: _, ...content }: Example): string {
  return JSON.stringify(content);
}

function sha256Of(path: string): string {
  return createHash("sha256")
    .update(readFile(path, 1 << 30))
    .digest("hex");
}
