import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { runTask } from "../eval/header.js";
import type { TaskPlan } from "../eval/plan.js";
import { type Machine, RUN_FORMAT, type RunHeader } from "../eval/results.js";
import type { EvalFlags } from "./eval.js";
import type { OpenedModel } from "./eval-model.js";
import { codeCommit, packageVersion } from "./version.js";

/** Everything that a run's numbers depend on. */
export function runHeader(
  { model, sha256, settings, threads }: OpenedModel,
  plans: readonly TaskPlan[],
  flags: EvalFlags,
  ids: ReadonlySet<string> | undefined,
): RunHeader {
  const { shots, limit, seed, samples, temperature, skipBad, fitShots } = flags;
  return {
    format: RUN_FORMAT,
    version: packageVersion(),
    commit: codeCommit(),
    model: { name: model.name, sha256 },
    settings: {
      ...settings,
      ...{ shots: shots ?? null, limit: limit ?? null, items: ids === undefined ? null : idsHash(ids), seed },
      ...{ samples: samples ?? null, temperature: temperature ?? null },
      ...{ skipBad: skipBad ?? false, fitShots: fitShots ?? false },
    },
    tasks: plans.map(runTask),
    machines: [thisMachine(threads)],
  };
}

/** @param threads null for an endpoint */
export function thisMachine(threads: number | null): Machine {
  return {
    ...{ runtime: `Node ${process.versions.node}`, platform: `${process.platform}-${process.arch}` },
    ...{ cpu: cpus()[0]?.model.trim() || process.arch, threads },
  };
}

/** Of the ids, whatever their order in the file. */
function idsHash(ids: ReadonlySet<string>): string {
  const text = [...ids].sort().join("\n");
  return `${ids.size} ids, sha256 ${createHash("sha256").update(text).digest("hex")}`;
}
