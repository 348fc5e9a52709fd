import type { DraftModel } from "./draft-model.js";
import { draftPlan, type Guesses, type StepTimes } from "./draft-rows.js";
import type { Job } from "./job.js";
import type { Span } from "./step.js";

const NONE: Guesses = { trust: 0, most: 0 };

/** Finds pages of the large model for a job's positions up to `end`. */
type Reserve = (job: Job, end: number) => boolean;

/**
 * Adds guessed rows to steps that compute the newest token of each job, where that pays: tokens looked up in the text,
 * or those of a draft model. The text is the same without.
 */
export class Guesser {
  private drafted: ReadonlyMap<Job, readonly number[]> = new Map(); // in this step

  constructor(
    private readonly model: DraftModel | null,
    private readonly times: StepTimes,
  ) {}

  /** The spans with guesses behind them. */
  async extend(spans: readonly Span[], reserve: Reserve): Promise<readonly Span[]> {
    const lookedUp = spans.map((span) => (isAtEnd(span) && span.job.guesses) || NONE);
    const { lengths, rate } = draftPlan(lookedUp, spans.length, this.times);
    this.drafted = this.model ? await this.drafts(this.model, spans, lookedUp, rate, reserve) : new Map();
    return spans.map((span, i) => {
      const { job, start, count } = span;
      const most = lengths[i]!;
      let draft = this.drafted.get(job);
      if (!draft && most > 0 && reserve(job, start + count + most)) draft = job.draft(most);
      if (!draft) return span;
      job.propose(draft);
      return { job, start, count: count + draft.length, draft };
    });
  }

  /** A span with guesses was computed, and its outcomes were taken; its job had `length` tokens before. */
  judge({ job, draft }: Span, length: number): void {
    if (this.drafted.has(job)) this.model?.judge(job, draft, length);
  }

  /** The job has ended, or has to begin anew. */
  end(job: Job): void {
    this.model?.end(job);
  }

  /**
   * The draft model's guesses for the jobs where these pay better than what was looked up, which costs nothing.
   * @param rate tokens a ms that are expected without the draft model
   */
  private async drafts(
    model: DraftModel,
    spans: readonly Span[],
    lookedUp: readonly Guesses[],
    rate: number,
    reserve: Reserve,
  ): Promise<ReadonlyMap<Job, readonly number[]>> {
    const guesses = spans.map((span, i) => {
      const drafted = isAtEnd(span) ? model.guesses(span.job) : NONE;
      return lookedUp[i]!.most > 0 && lookedUp[i]!.trust >= drafted.trust ? lookedUp[i]! : drafted;
    });
    const plan = draftPlan(guesses, spans.length, this.times, (jobs) => model.stepMs(jobs, this.times));
    const pays = plan.rate > rate;
    const asked = spans.flatMap(({ job, start, count }, i) => {
      const length = pays && guesses[i]!.isDrafted ? plan.lengths[i]! : 0;
      return length > 0 ? [{ job, count: length, end: start + count + length }] : [];
    });
    const jobs = new Set(asked.map(({ job }) => job));
    for (const { job } of spans) if (!jobs.has(job)) model.rest(job);
    if (asked.length === 0) return new Map();
    const gainMs = 1 / rate - 1 / plan.rate; // a token
    model.catchUp([...jobs], gainMs, this.times);
    const drafts = await model.propose(asked.filter(({ job, end }) => model.isNear(job) && reserve(job, end)));
    return new Map([...drafts].filter(([, draft]) => draft.length > 0));
  }
}

/** Whether nothing is known behind a span: a set-back job may compute one of its tokens alone. */
function isAtEnd({ job, start, count }: Span): boolean {
  return start + count === job.tokens.length;
}
