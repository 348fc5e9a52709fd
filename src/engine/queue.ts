/** What decides when a job's turn is. */
export interface Queued {
  readonly tenant: string;
  /** Higher goes first. */
  readonly priority: number;
  /** Tokens that it still wants computed. */
  readonly remaining: number;
  /** Counts up; set by add(). */
  arrival: number;
}

/** A tenant at one priority. */
interface Account<J> {
  /** Tokens computed for it, as if it had been served like the least served ones before it came. */
  served: number;
  /** Whether it had waiting jobs, or prompts under work, at the last step. */
  wants: boolean;
  /** Waiting, in the order in which they go. */
  readonly jobs: J[];
}

interface Level<J> {
  readonly priority: number;
  readonly accounts: Map<string, Account<J>>;
  /** What the least served of those who wanted something had; never falls. Who comes joins here: nobody saves credit. */
  floor: number;
}

/** Tenants that want nothing at the moment are forgotten beyond this, with what they were served in advance. */
const MOST_RESTING = 1000;

/**
 * Jobs that wait: the highest priority first, among these the tenant that was served least (tokens computed), then in
 * order of arrival. Tenants are the same to each other at every priority anew.
 */
export class FairQueue<J extends Queued> {
  private readonly levels = new Map<number, Level<J>>();
  private arrivals = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(job: J): void {
    job.arrival = this.arrivals++;
    this.account(job).jobs.push(job);
    this.count++;
  }

  /** A job that was under work waits again, in front of its tenant's others. */
  putBack(job: J): void {
    this.account(job).jobs.unshift(job);
    this.count++;
  }

  /** Takes a job out; false if it does not wait. */
  remove(job: J): boolean {
    const jobs = this.account(job).jobs;
    const index = jobs.indexOf(job);
    if (index < 0) return false;
    jobs.splice(index, 1);
    this.count--;
    return true;
  }

  /** Tokens that count as computed for the job's tenant. */
  served(job: Queued): number {
    return this.account(job).served;
  }

  charge(job: Queued, tokens: number): void {
    this.account(job).served += tokens;
  }

  /** To be called before each step. Tenants whose jobs wait, or have their prompts computed, take part from now on. */
  settle(prefilling: Iterable<Queued>): void {
    const wanting = new Set<Account<J>>();
    for (const job of prefilling) wanting.add(this.account(job));
    for (const level of this.levels.values()) {
      const all = [...level.accounts];
      const before = all.flatMap(([, { wants, served }]) => (wants ? [served] : []));
      if (before.length > 0) level.floor = Math.max(level.floor, Math.min(...before));
      for (const [, account] of all) {
        const wants = account.jobs.length > 0 || wanting.has(account);
        if (wants && !account.wants) account.served = Math.max(account.served, level.floor);
        account.wants = wants;
      }
      const resting = all.filter(([, { wants }]) => !wants);
      for (const [tenant, { served }] of resting) {
        // One that is not ahead of the floor would come back the same.
        if (served <= level.floor || resting.length > MOST_RESTING) level.accounts.delete(tenant);
      }
    }
  }

  /** All that wait, in no particular order; a copy. */
  all(): J[] {
    return [...this.levels.values()].flatMap(({ accounts }) => [...accounts.values()].flatMap(({ jobs }) => jobs));
  }

  /** All that wait, in the order of their turns: each counts as computed when the one behind it is chosen. */
  *inOrder(): Generator<J> {
    for (const { accounts } of [...this.levels.values()].sort((a, b) => b.priority - a.priority)) {
      const heads = [...accounts.values()].map(({ served, jobs }) => ({ served, jobs: [...jobs], next: 0 }));
      for (;;) {
        const left = heads.filter(({ jobs, next }) => next < jobs.length);
        if (left.length === 0) break;
        const head = left.reduce((a, b) => (isBefore(b, a) ? b : a));
        const job = head.jobs[head.next++]!;
        yield job;
        head.served += job.remaining;
      }
    }
  }

  private account({ tenant, priority }: Queued): Account<J> {
    let level = this.levels.get(priority);
    if (!level) {
      level = { priority, accounts: new Map(), floor: 0 };
      this.levels.set(priority, level);
    }
    let account = level.accounts.get(tenant);
    if (!account) {
      account = { served: level.floor, wants: false, jobs: [] };
      level.accounts.set(tenant, account);
    }
    return account;
  }
}

interface Head<J> {
  readonly served: number;
  readonly jobs: readonly J[];
  readonly next: number;
}

function isBefore<J extends Queued>(a: Head<J>, b: Head<J>): boolean {
  if (a.served !== b.served) return a.served < b.served;
  return a.jobs[a.next]!.arrival < b.jobs[b.next]!.arrival;
}
