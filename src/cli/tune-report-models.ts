import { basename, resolve } from "node:path";
import { GemmaError } from "../base/errors.js";
import type { Subjects } from "../eval/tuning/subject.js";
import type { ReportedModel } from "../eval/tuning/tuning-report.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { modelHash } from "../load/model-hash.js";
import type { ReadRun } from "../load/training-run.js";
import type { Gemma } from "../runtime/gemma.js";
import { GemmaSubject, type PieceExample } from "../runtime/tuning-subject.js";
import type { TuneTemplate } from "../tune/data/pieces.js";
import type { CliContext } from "./context.js";
import { modelSettings } from "./eval-model.js";
import { ADAPTER, loadGemma } from "./model-options.js";
import type { TuneReportFlags } from "./tune-report.js";
import { codeCommit, packageVersion } from "./version.js";

/** Sequences that the engine computes together. */
const SEQUENCES = 32;

export interface OpenedSubjects {
  readonly subjects: Subjects<PieceExample>;
  readonly before: ReportedModel;
  readonly after: ReportedModel;
  readonly template: TuneTemplate;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  readonly threads: number;
  dispose(): Promise<void>;
}

/** What was tuned: one of the two. */
type Tuned = { readonly adapter: string } | { readonly model: string };

/** @throws ERR_USAGE where the flags name nothing tuned, or several */
export function expectOneTuned({ run, adapter, tuned }: TuneReportFlags): void {
  const given = [run, adapter, tuned].filter((flag) => flag !== undefined);
  if (given.length === 1) return;
  const hint = "e.g. --run runs/first; --adapter runs/first/adapter; or --tuned merged.gguf";
  const rule = "one of --run, --adapter and --tuned must say what was tuned";
  throw new GemmaError("ERR_USAGE", `tune report: ${rule}, got ${given.length} of them`, { hint });
}

function tunedOf({ adapter, tuned }: TuneReportFlags, read: ReadRun | null): Tuned {
  if (adapter !== undefined) return { adapter };
  if (tuned !== undefined) return { model: tuned };
  const { kind, path } = read!.result;
  return kind === "adapter" ? { adapter: path } : { model: path };
}

/** Both models: of an adapter one load that is asked with it and without, else two. */
export async function openSubjects(
  flags: TuneReportFlags,
  read: ReadRun | null,
  context: CliContext,
): Promise<OpenedSubjects> {
  const what = tunedOf(flags, read);
  const adapter = "adapter" in what ? what.adapter : undefined;
  const { adapter: _, ...rest } = flags;
  const model = flags.model ?? read?.model ?? DEFAULT_MODEL;
  const opened: Gemma[] = [];
  const open = async (given: { readonly model: string; readonly adapter?: string }) => {
    const gemma = await loadGemma({ ...rest, ...given }, context, { maxSequences: SEQUENCES });
    opened.push(gemma);
    return gemma;
  };
  const dispose = async () => {
    for (const gemma of opened) await gemma.dispose();
  };
  try {
    const base = await open({ model, ...(adapter === undefined ? {} : { adapter }) });
    const tuned = "model" in what ? await open({ model: what.model }) : base;
    const template = flags.template ?? templateOf(tuned, adapter && ADAPTER, read?.template);
    const hash = (path: string) => modelHash(path, context.signal);
    const before = await reported(base, hash);
    const chosen = adapter === undefined ? null : { name: adapterName(flags, adapter), sha256: await hash(adapter) };
    const after = chosen === null ? await reported(tuned, hash) : { ...before, adapter: chosen };
    const code = { version: packageVersion(), commit: codeCommit() };
    const subject = (gemma: Gemma, { sha256, adapter: worn }: ReportedModel, name: { readonly adapter?: string }) =>
      new GemmaSubject(gemma, {
        ...name,
        template,
        identity: JSON.stringify({ ...code, sha256, adapter: worn?.sha256 ?? null, ...modelSettings(gemma) }),
      });
    return {
      subjects: {
        before: subject(base, before, {}),
        after: subject(tuned, after, chosen === null ? {} : { adapter: ADAPTER }),
      },
      ...{ before, after, template, settings: modelSettings(base), threads: base.info.backend.threads, dispose },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A model as it is when no adapter is chosen: one of this package has its own on. */
async function reported({ info }: Gemma, hash: (path: string) => Promise<string>): Promise<ReportedModel> {
  const { name, path, base, adapter } = info;
  const sha256 = await hash(path);
  if (adapter === undefined) return { name, sha256, adapter: null };
  return { name: base ?? name, sha256, adapter: { name, sha256: await hash(adapter) } };
}

/** As the run has it, else as what was tuned says. */
function templateOf(gemma: Gemma, adapter: string | undefined, told: string | undefined): TuneTemplate {
  if (told === "gemma" || told === "qa" || told === "none") return told;
  return gemma.chatStyle(adapter) === "qa" ? "qa" : "gemma";
}

/** An adapter's folder is often called "adapter": its run tells more. */
function adapterName({ run }: TuneReportFlags, adapter: string): string {
  return basename(resolve(run ?? adapter));
}
