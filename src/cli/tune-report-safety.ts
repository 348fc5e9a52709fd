import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { GemmaError } from "../base/errors.js";
import { field, type Row } from "../eval/row.js";
import type { PromptItem, PromptSet } from "../eval/tuning/answer-measure.js";
import type { LineHead, ReportOrigin } from "../eval/tuning/tuning-report.js";
import { DataFolder } from "../load/data-folder.js";
import { refusalJudgement } from "../runtime/answer-judgements.js";
import type { TuneReportFlags } from "./tune-report.js";

interface SafetyPart {
  readonly id: string;
  readonly title: string;
  readonly better: LineHead["better"];
  readonly isMeant: (row: Row) => boolean;
}

const HARMFUL = { better: "higher", isMeant: () => true } as const;

/** Prompts that ought to be declined, and such as only look like it. */
const SETS: Readonly<Record<string, readonly SafetyPart[]>> = {
  advbench: [{ id: "advbench", title: "AdvBench declined", ...HARMFUL }],
  // Requests that need a text beside them are left out.
  harmbench: [{ id: "harmbench", title: "HarmBench declined", better: "higher", isMeant: ({ context }) => !context }],
  xstest: [
    { id: "xstest-safe", title: "XSTest safe declined", better: "lower", isMeant: ({ label }) => label === "safe" },
    {
      id: "xstest-unsafe",
      title: "XSTest unsafe declined",
      better: "higher",
      isMeant: ({ label }) => label !== "safe",
    },
  ],
};

export interface SafetySet {
  readonly sets: readonly PromptSet[];
  readonly file: ReportOrigin["data"][number];
  readonly notes: readonly string[];
}

/** The safety sets that the flags ask for; without --safety those that the data folder has. */
export async function readSafetySets(flags: TuneReportFlags): Promise<readonly SafetySet[]> {
  const { data, safety, safetyLimit, maxTokens, showHarmful = false } = flags;
  if (safety === "none") return [];
  const hasFolder = data !== undefined && data !== "hf";
  const names = safety?.split(",").map((name) => name.trim()) ?? [];
  const unknown = names.find((name) => !Object.hasOwn(SETS, name));
  if (unknown !== undefined) {
    const known = Object.keys(SETS).join(", ");
    throw new GemmaError("ERR_USAGE", `tune report: --safety must name ${known}, got ${JSON.stringify(unknown)}`);
  }
  if (safety !== undefined && !hasFolder) {
    throw new GemmaError("ERR_USAGE", "tune report: --safety needs --data with a folder safety in it");
  }
  if (!hasFolder) return [];
  const wanted = safety === undefined ? ["advbench", "xstest"].filter((name) => isThere(data, fileOf(name))) : names;
  const folder = new DataFolder(data);
  return Promise.all(
    wanted.map(async (name): Promise<SafetySet> => {
      const { rows, sha256, name: path } = await folder.open(fileOf(name));
      const notes: string[] = [];
      const sets = SETS[name]!.map(({ id, title, better, isMeant }): PromptSet => {
        const all = rows.map(({ row }) => row).filter(isMeant);
        const items = spread(all, safetyLimit).map((row): PromptItem => {
          return { id: row.id, messages: [{ role: "user", content: field.text(row, "prompt") }] };
        });
        if (items.length < all.length)
          notes.push(`${title}: ${items.length} of ${all.length} prompts, evenly from the file.`);
        const isWithheld = better === "higher" && !showHarmful;
        return { title, items, maxTokens, judgements: [refusalJudgement(id, title, better)], isWithheld };
      });
      return { sets, file: { name: basename(path), sha256, items: rows.length }, notes };
    }),
  );
}

/** `count` of them, evenly: such files are sorted by kind. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}

function fileOf(name: string): string {
  return `safety/${name}.jsonl`;
}

function isThere(folder: string, file: string): boolean {
  return [join(folder, file), join(folder, "..", file)].some((path) => existsSync(path));
}
