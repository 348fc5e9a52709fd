import { basename, isAbsolute, join } from "node:path";
import { GemmaError } from "../base/errors.js";
import { replaceFile, replaceJson } from "../disk/durable.js";
import { findTasks } from "../eval/find-tasks.js";
import { fitPlan } from "../eval/fit.js";
import { type PlanOptions, planTasks, type TaskPlan } from "../eval/plan.js";
import { TASKS } from "../eval/tasks/index.js";
import { compareTuning } from "../eval/tuning/compare-tuning.js";
import type { TuningReport } from "../eval/tuning/tuning-report.js";
import { changeText, regressions } from "../eval/tuning/verdict.js";
import { withObservations } from "../load/observation-folder.js";
import { readTrainingRun } from "../load/training-run.js";
import type { CliContext } from "./context.js";
import { openData, openSandbox } from "./eval-data.js";
import { thisMachine } from "./eval-header.js";
import { paceText } from "./eval-progress.js";
import { StatusLine } from "./status-line.js";
import type { TuneReportFlags } from "./tune-report.js";
import { measuresOf, readReportData } from "./tune-report-measures.js";
import { expectOneTuned, openSubjects } from "./tune-report-models.js";
import { readSafetySets } from "./tune-report-safety.js";
import { codeCommit, packageVersion } from "./version.js";

export async function tuneReportCommand(flags: TuneReportFlags, context: CliContext): Promise<void> {
  const { output, signal } = context;
  expectOneTuned(flags);
  const out = outFolder(flags);
  // Before the model is loaded: whatever is wrong with the data shows at once.
  const read = flags.run === undefined ? null : readTrainingRun(flags.run);
  const data = await readReportData(flags, await planned(flags, context), await readSafetySets(flags), context);
  const opened = await openSubjects(flags, read, context);
  const sandbox = await openSandbox(data.plans, output);
  try {
    const plans: TaskPlan[] = [];
    for (const plan of data.plans) plans.push(await fitPlan(plan, opened.subjects.before, false));
    const { measures, notes } = measuresOf({ ...data, plans }, flags, opened.template, sandbox?.run);
    if (measures.length === 0)
      throw new GemmaError("ERR_USAGE", "tune report: something must be measured, got nothing");
    const onWait = () => output.note(`${out}: another process writes to it; waiting for its end`);
    const { before, after, template, settings, threads } = opened;
    const report = await withObservations(out, { signal, onWait }, async ({ recorded, append }, lockSignal) => {
      const status = new StatusLine();
      try {
        return await compareTuning(opened.subjects, measures, {
          ...{ before, after, run: read?.run ?? null, recorded, onObservation: append, signal: lockSignal },
          notes: [...data.notes, ...notes],
          made: {
            ...{ version: packageVersion(), commit: codeCommit(), data: data.files, machine: thisMachine(threads) },
            settings: { ...settings, template, ...settingsOf(flags) },
            command: ["gemma", ...process.argv.slice(2)].map(quoted).join(" "),
          },
          onProgress({ title, side, done, total, questionsPerSecond, remainingSeconds }) {
            if (output.json && !process.stderr.isTTY) return;
            const pace = () => paceText(done, total, questionsPerSecond, remainingSeconds);
            status.update(() => `${done} of ${total} questions, ${pace()}; ${title}, ${side} tuning`);
          },
        });
      } catch (error) {
        status.end();
        output.note(`${out}: the same command goes on from here`);
        throw error;
      } finally {
        status.end();
      }
    });
    await writeReport(report, out, flags, context);
    failOnRegression(report, flags);
  } finally {
    await sandbox?.dispose();
    await opened.dispose();
  }
}

async function planned(flags: TuneReportFlags, context: CliContext): Promise<readonly TaskPlan[]> {
  if (flags.tasks === "none" || flags.tasks === "") return [];
  const { limit, seed, data } = flags;
  const tasks = findTasks(flags.tasks, TASKS);
  const source = await openData(tasks, { seed, ...(data === undefined ? {} : { data }) }, context);
  const options: PlanOptions = { limit, seed };
  return planTasks(tasks, source, options);
}

async function writeReport(report: TuningReport, out: string, flags: TuneReportFlags, { output }: CliContext) {
  const { tuningPage } = await import("../eval/report/tuning-page.js");
  await replaceJson(join(out, "report.json"), report);
  await replaceFile(join(out, "report.html"), await tuningPage(report, { maxItems: flags.maxItems }));
  output.data(report);
  output.line(report.verdict);
  output.line(join(out, "report.html"));
}

/** @throws ERR_REGRESSION */
function failOnRegression({ lines }: TuningReport, { failOnRegression: points, failOn }: TuneReportFlags): void {
  const fallen = points === undefined ? [] : regressions(lines, points, failOn);
  if (fallen.length === 0) return;
  const which = failOn === "significant" ? " significantly" : "";
  const got = fallen.map((line) => `${line.title} ${changeText(line)}`).join(", ");
  throw new GemmaError(
    "ERR_REGRESSION",
    `tune report: nothing but the target may fall${which} by more than ${points}, got ${got}`,
  );
}

function outFolder({ out, run }: TuneReportFlags): string {
  if (out !== undefined) return out;
  if (run !== undefined) return join(run, "report");
  throw new GemmaError("ERR_USAGE", "tune report: --out is needed", { hint: "e.g. --out runs/first/report" });
}

/** Those that numbers depend on. */
function settingsOf({ metric, maxTokens, answers, limit, windows, safetyLimit, seed }: TuneReportFlags) {
  return { metric: metric ?? null, maxTokens, answers, limit, windows, safetyLimit, seed };
}

/** As a shell takes it; where on this machine a file lies is nobody's matter. */
function quoted(given: string): string {
  const argument = isAbsolute(given) ? basename(given) : given;
  return /^[\w./:,=@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
