import { PAGE_ROWS } from "../backend/kv.js";
import type { Job } from "./job.js";

/** What a waiting job waits for: positions of `leader` up to `until`. */
export interface Lead {
  readonly leader: Job;
  readonly until: number;
}

/**
 * Waiting jobs whose next positions are just being computed: by a running job whose tokens begin alike, with equal
 * keys. They wait for it instead of computing the same again. A leader that ends or is set back has no followers.
 */
export class Followers {
  private readonly leads = new WeakMap<Job, Lead>();

  /** @param known positions of `job` that are remembered; asked for only where no leader is known yet */
  leadOf(job: Job, running: readonly Job[], known: () => number): Lead | null {
    const lead = this.leads.get(job);
    if (lead && lead.leader.computed < lead.until && isLeading(lead.leader) && running.includes(lead.leader))
      return lead;
    this.leads.delete(job);
    const best = bestLead(job, running, known);
    if (best) this.leads.set(job, best);
    return best;
  }
}

function bestLead(job: Job, running: readonly Job[], known: () => number): Lead | null {
  const alike = running.filter(
    (each) => isLeading(each) && each.prefixKey === job.prefixKey && each.tokens[0] === job.tokens[0],
  );
  if (alike.length === 0) return null;
  const start = known();
  let best: Lead | null = null;
  for (const leader of alike) {
    // One that is behind what is remembered, or past what is shared, has nothing to wait for.
    if (leader.computed < start) continue;
    const until = sharedPositions(job, leader);
    if (until > Math.max(start, leader.computed, best?.until ?? 0)) best = { leader, until };
  }
  return best;
}

/** Whether a job's prompt is being computed; one that decodes may wait for its grammar. */
function isLeading(job: Job): boolean {
  return job.remaining > 1 && job.ready;
}

/** Positions in whole pages that `job` can take over from `leader`. */
function sharedPositions(job: Job, leader: Job): number {
  const most = Math.min(leader.tokens.length, job.firstOutput);
  let length = 0;
  while (length < most && job.tokens[length] === leader.tokens[length]) length++;
  return Math.floor(length / PAGE_ROWS) * PAGE_ROWS;
}
