import type { Backend } from "../backend/backend.js";
import { choosesFromTop } from "../backend/ops/choose-ids.js";
import type { LogProbsOutput } from "../backend/ops/log-probs.js";
import { PLAIN_ROW, type SampleRow } from "../backend/ops/sample.js";
import type { Tensor } from "../backend/tensor.js";
import type { Job, RowResult, TokenLogProb } from "./job.js";
import { CHOSEN_ROWS, HEAD_ROWS, type StepRunner } from "./step.js";

interface WantedRow {
  readonly job: Job;
  readonly position: number;
  /** Guesses in the rows up to this one, behind the job's tokens. */
  readonly drafted: readonly number[];
}

/** What a row that samples nothing passes to the sampler beside rows that do. */
const MOST_LIKELY: SampleRow = { ...PLAIN_ROW, temperature: 0 };

/** Output rows of a step, in its order. */
type WantedRows = Readonly<Record<"logits" | "scores" | "hidden", readonly WantedRow[]>>;

/** Reads the outcomes of a step's output rows and hands them to their jobs. */
export async function readRows(runner: StepRunner, wanted: WantedRows): Promise<void> {
  await readLogits(runner, wanted.logits);
  if (wanted.scores.length > 0) await readScores(runner, wanted.logits.length, wanted.scores);
  const firstHidden = wanted.logits.length + wanted.scores.length;
  const { hiddenSize } = runner.config;
  for (let first = 0; first < wanted.hidden.length; first += HEAD_ROWS) {
    const rows = wanted.hidden.slice(first, first + HEAD_ROWS);
    const states = await runner.hidden(firstHidden + first, rows.length); // [rows, D]
    for (const [i, { job }] of rows.entries()) {
      if (!job.finished) job.acceptHidden(states.subarray(i * hiddenSize, (i + 1) * hiddenSize));
    }
  }
}

async function readLogits(runner: StepRunner, rows: readonly WantedRow[]): Promise<void> {
  const sampling = rows.map(({ job, drafted }) => job.sampleRow(drafted));
  const wantsLogits = rows.some(({ job }) => job.wantsLogits || job.alternatives !== null);
  const chooses = !wantsLogits && sampling.every((row) => row !== null && choosesFromTop(row));
  // Parts are about equal: one of a single row takes nearly as long as one of several.
  const parts = Math.ceil(rows.length / (chooses ? CHOSEN_ROWS : HEAD_ROWS));
  for (let part = 0; part < parts; part++) {
    const [first, end] = [part, part + 1].map((i) => Math.floor((rows.length * i) / parts)) as [number, number];
    const own = sampling.slice(first, end);
    if (chooses) await chooseFromTop(runner, first, rows.slice(first, end), own as SampleRow[]);
    else await readFromLogits(runner, first, rows.slice(first, end), own);
  }
}

async function readFromLogits(
  runner: StepRunner,
  first: number,
  rows: readonly WantedRow[],
  sampling: readonly (SampleRow | null)[],
): Promise<void> {
  const { be } = runner;
  const logits = runner.logits(first, rows.length); // [R, V]
  const { tensor, free } = temporaries(be);
  try {
    const ids = await sampleIds(be, logits, rows, sampling, tensor);
    const logProbs = await scoreIds(be, logits, rows, ids, tensor);
    const copies = rows.some((row) => row.job.wantsLogits) ? ((await be.read(logits)) as Float32Array) : null;
    const width = logits.shape[1]!; // V
    handOut(rows, (job, i) => ({
      id: ids[i]!,
      logprob: logProbs[i]?.[0] ?? null,
      others: logProbs[i]?.slice(1) ?? [],
      logits: copies && job.wantsLogits ? copies.slice(i * width, (i + 1) * width) : null,
    }));
  } finally {
    free();
  }
}

/** What most steps are: every row takes the next token from its most likely ones, and nobody looks at the logits. */
async function chooseFromTop(
  runner: StepRunner,
  first: number,
  rows: readonly WantedRow[],
  sampling: readonly SampleRow[],
): Promise<void> {
  const { be } = runner;
  const chosen = be.tensor("i32", [rows.length]);
  try {
    runner.choose(first, chosen, sampling);
    const ids = (await be.read(chosen)) as Int32Array;
    handOut(rows, (_, i) => ({ id: ids[i]!, logprob: null, others: [], logits: null }));
  } finally {
    be.free(chosen);
  }
}

function handOut(rows: readonly WantedRow[], outcome: (job: Job, i: number) => Omit<RowResult, "position">): void {
  for (const [i, { job, position, drafted }] of rows.entries()) {
    if (drafted.length > 0 && job.tokens[position] !== drafted.at(-1)) continue; // a wrong guess, or behind one
    if (job.finished) continue; // the model was disposed since the step began
    job.accept({ position, ...outcome(job, i) });
  }
}

/** Rows that are only scored, all at once: no logits are kept of them. */
async function readScores(runner: StepRunner, first: number, rows: readonly WantedRow[]): Promise<void> {
  const { be } = runner;
  const targets = rows.flatMap(({ job, position }, row) =>
    job.targets(position).flatMap((id) => (id < 0 ? [] : [{ row, id }])),
  );
  const { tensor, free } = temporaries(be);
  try {
    const out = {
      logProbs: tensor("f32", [targets.length]),
      topIds: tensor("i32", [rows.length]),
      topLogProbs: tensor("f32", [rows.length]),
    };
    const [targetRows, ids] = [tensor("i32", [targets.length]), tensor("i32", [targets.length])];
    be.write(
      targetRows,
      Int32Array.from(targets, ({ row }) => row),
    );
    be.write(
      ids,
      Int32Array.from(targets, ({ id }) => id),
    );
    runner.score(first, rows.length, out, targetRows, ids);
    const logProbs = await be.read(out.logProbs);
    const topIds = await be.read(out.topIds);
    const topLogProbs = await be.read(out.topLogProbs);
    const found: TokenLogProb[][] = rows.map(() => []);
    for (const [t, { row, id }] of targets.entries()) {
      const top = rows[row]!.job.alternatives === 0 ? [] : [{ id: topIds[row]!, logprob: topLogProbs[row]! }];
      found[row]!.push({ id, logprob: logProbs[t]!, top });
    }
    handOut(rows, (_, i) => {
      const [logprob = null, ...others] = found[i]!;
      return { id: logprob?.id ?? -1, logprob, others, logits: null };
    });
  } finally {
    free();
  }
}

type Allocate = (dtype: "f32" | "i32", shape: number[]) => Tensor;

/** Tensors that are freed together. */
function temporaries(be: Backend): { tensor: Allocate; free: () => void } {
  const made: Tensor[] = [];
  return {
    tensor(dtype, shape) {
      made.push(be.tensor(dtype, shape));
      return made.at(-1)!;
    },
    free() {
      for (const tensor of made) be.free(tensor);
    },
  };
}

/** The sampled id of each row, or the token that follows in a row that is only scored (-1 behind the last). */
async function sampleIds(
  be: Backend,
  logits: Tensor,
  rows: readonly WantedRow[],
  sampling: readonly (SampleRow | null)[],
  tensor: Allocate,
) {
  const out = Int32Array.from(rows, ({ job, position }) => job.targets(position)[0]!);
  if (sampling.every((row) => row === null)) return out;
  const sampled = tensor("i32", [rows.length]);
  be.sample(
    sampled,
    logits,
    sampling.map((row) => row ?? MOST_LIKELY),
  );
  const ids = (await be.read(sampled)) as Int32Array;
  return out.map((next, i) => (sampling[i] ? ids[i]! : next));
}

/** For each row that wants them, log-probabilities of its id and of its further targets. */
async function scoreIds(
  be: Backend,
  logits: Tensor,
  rows: readonly WantedRow[],
  ids: Int32Array,
  tensor: Allocate,
): Promise<TokenLogProb[][]> {
  const most = Math.max(-1, ...rows.map((row) => row.job.alternatives ?? -1));
  if (most < 0) return [];
  const wanted = rows.map(({ job, position }, i) =>
    job.alternatives === null ? [] : [ids[i]!, ...job.targets(position).slice(1)],
  );
  const out: LogProbsOutput = {
    logProbs: tensor("f32", [rows.length]),
    topIds: tensor("i32", [rows.length, most]),
    topLogProbs: tensor("f32", [rows.length, most]),
  };
  const targets = tensor("i32", [rows.length]);
  const results: TokenLogProb[][] = rows.map(() => []);
  // A target of each row a pass: the logits, which cost far more, are computed once.
  for (let pass = 0; pass < Math.max(...wanted.map((row) => row.length)); pass++) {
    be.write(
      targets,
      Int32Array.from(wanted, (row) => row[pass] ?? -1),
    );
    be.logProbs(out, logits, targets);
    const logProbs = await be.read(out.logProbs);
    const topIds = await be.read(out.topIds);
    const topLogProbs = await be.read(out.topLogProbs);
    for (const [i, { job }] of rows.entries()) {
      const id = wanted[i]![pass];
      if (id === undefined) continue;
      const top = Array.from({ length: job.alternatives ?? 0 }, (_, j) => ({
        id: topIds[i * most + j]!,
        logprob: topLogProbs[i * most + j]!,
      }));
      results[i]!.push({ id, logprob: logProbs[i]!, top });
    }
  }
  return results;
}
