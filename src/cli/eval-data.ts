import type { DataSource } from "../eval/data.js";
import type { TaskPlan } from "../eval/plan.js";
import type { Task } from "../eval/task.js";
import { DataFolder } from "../load/data-folder.js";
import type { PythonSandbox } from "../sandbox/sandbox.js";
import type { CliContext } from "./context.js";
import { withPullProgress } from "./pull-progress.js";

export interface DataFlags {
  readonly data?: string;
  readonly shots?: number;
  readonly seed: number;
  readonly skipBad?: boolean;
}

/** Where benchmarks' items come from: a folder of files, or the hub. */
export async function openData(tasks: readonly Task[], flags: DataFlags, context: CliContext): Promise<DataSource> {
  const { data = "hf", shots, seed, skipBad = false } = flags;
  if (data !== "hf") return new DataFolder(data, { skipBad });
  const { openHubData } = await import("../load/hub-data.js");
  const options = { seed, skipBad, ...(shots === undefined ? {} : { shots }) };
  return withPullProgress(context, (pull) => openHubData(tasks, options, pull));
}

/** For code tasks; null where there are none. Says what this system lacks for it. */
export async function openSandbox(
  plans: readonly TaskPlan[],
  output: CliContext["output"],
): Promise<PythonSandbox | null> {
  if (!plans.some(({ task }) => task.kind === "code")) return null;
  const [{ PythonSandbox }, { layers, lacking }] = await Promise.all([
    import("../sandbox/sandbox.js"),
    import("../sandbox/layers.js"),
  ]);
  for (const wall of lacking(await layers())) output.note(`sandbox: ${wall}`);
  return new PythonSandbox();
}
