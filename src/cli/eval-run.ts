import { GemmaError } from "../base/errors.js";
import { findTasks } from "../eval/find-tasks.js";
import { fitPlan } from "../eval/fit.js";
import { planTasks, type TaskPlan } from "../eval/plan.js";
import type { ItemRecord, RunResults } from "../eval/results.js";
import { evaluate } from "../eval/run.js";
import { summarise } from "../eval/summarise.js";
import { TASKS } from "../eval/tasks/index.js";
import type { LanguageModel } from "../lm/language-model.js";
import { type OpenRun, withRunFolder } from "../load/run-folder.js";
import type { CliContext } from "./context.js";
import type { EvalFlags } from "./eval.js";
import { openData, openSandbox } from "./eval-data.js";
import { runHeader } from "./eval-header.js";
import { readIds } from "./eval-ids.js";
import { openModel } from "./eval-model.js";
import { describeProgress } from "./eval-progress.js";
import { printResults } from "./eval-results.js";
import { StatusLine } from "./status-line.js";

export async function evalCommand(flags: EvalFlags, context: CliContext): Promise<void> {
  const { output } = context;
  const tasks = findTasks(needed(flags.tasks, "--tasks", "piqa,mmlu"), TASKS);
  const out = needed(flags.out, "--out", "runs/first");
  const { shots, limit, seed, samples, temperature, skipBad = false } = flags;
  const ids = flags.items === undefined ? undefined : readIds(flags.items);
  // Before the model is loaded: whatever is wrong with the data shows at once.
  const planned = await planTasks(tasks, await openData(tasks, flags, context), {
    ...{ seed, skipBad },
    ...(shots === undefined ? {} : { shots }),
    ...(limit === undefined ? {} : { limit }),
    ...(samples === undefined ? {} : { samples }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(ids === undefined ? {} : { ids }),
  });
  for (const { reason } of planned.flatMap(({ bad }) => bad)) output.note(`left out: ${reason}`);
  const opened = await openModel(flags, context);
  try {
    const { model } = opened;
    const plans: TaskPlan[] = [];
    for (const plan of planned) plans.push(await fitPlan(plan, model, flags.fitShots ?? false));
    const header = runHeader(opened, plans, flags, ids);
    const onWait = () => output.note(`${out}: another process writes to it; waiting for its end`);
    const results = await withRunFolder(out, header, { signal: context.signal, onWait }, (run, signal) =>
      measureAll(plans, model, flags, run, { output, signal }),
    );
    printResults(out, results, plans, output);
  } finally {
    await opened.dispose();
  }
}

async function measureAll(
  plans: readonly TaskPlan[],
  model: LanguageModel,
  flags: EvalFlags,
  run: OpenRun,
  { output, signal }: CliContext,
): Promise<RunResults> {
  const { seed, samples, temperature } = flags;
  const total = plans.reduce((sum, { items }) => sum + items.length, 0);
  let done = run.recorded.size;
  if (done > 0) output.note(`${flags.out}: goes on behind ${done} of ${total} items`);
  const progress = new StatusLine();
  const sandbox = await openSandbox(plans, output);
  const onRecord = (record: ItemRecord) => {
    run.append(record);
    done++;
  };
  try {
    const records = await evaluate(plans, {
      ...{ model, seed, signal, recorded: run.recorded, onRecord },
      ...(samples === undefined ? {} : { samples }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(sandbox === null ? {} : { runProgram: sandbox.run }),
      onProgress: (event) => {
        if (!output.json || process.stderr.isTTY) progress.update(() => describeProgress(event));
      },
    });
    const tasks = plans.map(({ task }) => task);
    const results = await summarise(tasks, records, { seed });
    await run.finish(results);
    return results;
  } catch (error) {
    progress.end();
    output.note(`${flags.out}: has ${done} of ${total} items; the same command goes on from there`);
    throw error;
  } finally {
    progress.end();
    await sandbox?.dispose();
  }
}

function needed(value: string | undefined, flag: string, example: string): string {
  if (value !== undefined && value !== "") return value;
  throw new GemmaError("ERR_USAGE", `eval: ${flag} is needed`, { hint: `e.g. ${flag} ${example}` });
}
