import { PAGE_ROWS } from "../backend/kv.js";
import type { Queued } from "./queue.js";

/** A job that wants rows of a step for its prompt. */
export interface Claim<J> {
  readonly job: J;
  /** Whose rows they are: the job's own, or those of a job whose prefix it waits for. */
  readonly target: J;
  /** Rows of `target`, counted from what it has computed. */
  readonly rows: number;
}

/** Who was served how much; see FairQueue. */
interface Accounts {
  served(job: Queued): number;
  charge(job: Queued, tokens: number): void;
}

/**
 * Divides the rows that a step has for prompts, a page at a time: the highest priority first, among these the tenant
 * that was served least. Within a tenant the oldest prompt and the shortest take turns: the oldest has half at least,
 * and a short one does not wait for all of a long one.
 */
export class RowShares {
  private turn = 0;

  /** Rows of each target, those that were given some first in front; they are charged to who claimed them. */
  divide<J extends Queued>(claims: readonly Claim<J>[], rows: number, accounts: Accounts): Map<J, number> {
    const given = new Map<J, number>();
    const left = (claim: Claim<J>) => claim.rows - (given.get(claim.target) ?? 0);
    let budget = rows;
    while (budget > 0) {
      const open = claims.filter((claim) => left(claim) > 0);
      if (open.length === 0) break;
      const claim = this.next(open, left, accounts);
      const count = Math.min(PAGE_ROWS, left(claim), budget);
      given.set(claim.target, (given.get(claim.target) ?? 0) + count);
      accounts.charge(claim.job, count);
      budget -= count;
    }
    return given;
  }

  private next<J extends Queued>(open: readonly Claim<J>[], left: (claim: Claim<J>) => number, accounts: Accounts) {
    const priority = Math.max(...open.map(({ job }) => job.priority));
    const first = open.filter(({ job }) => job.priority === priority);
    const least = Math.min(...first.map(({ job }) => accounts.served(job)));
    const { tenant } = first.find(({ job }) => accounts.served(job) === least)!.job;
    const own = first.filter(({ job }) => job.tenant === tenant).sort((a, b) => a.job.arrival - b.job.arrival);
    const isShortest = this.turn++ % 2 === 1;
    return isShortest ? own.reduce((a, b) => (left(b) < left(a) ? b : a)) : own[0]!;
  }
}
