import { GemmaError } from "../../base/errors.js";

export interface AdmissionLimits {
  /** Requests at work at once. */
  readonly concurrentRequests: number;
  /** Requests that may wait for a place. */
  readonly queueLength: number;
  /** The longest wait, in seconds. */
  readonly queueSeconds: number;
}

export interface Visitor {
  /** Whose request it is: of those who wait, the tenant with the fewest requests at work goes first. */
  readonly tenant: string;
  /** Higher goes first. */
  readonly priority: number;
  readonly signal: AbortSignal;
}

interface Waiting extends Visitor {
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
}

/** What a request is expected to take before any has ended. */
const FIRST_SECONDS = 2;
/** How much one that has ended changes that. */
const LEARNING_RATE = 0.1;

/**
 * The door: bounds how many requests work at once, and how many wait. Who waits goes by priority, then by which tenant has
 * the fewest at work, then by arrival. The engine shares its time among those inside.
 */
export class Admission {
  private readonly queue: Waiting[] = [];
  private readonly inside = new Map<string, number>(); // requests at work, by tenant
  private atWork = 0;
  private expectedSeconds = FIRST_SECONDS; // of one request

  constructor(private readonly limits: AdmissionLimits) {}

  get running(): number {
    return this.atWork;
  }

  get waiting(): number {
    return this.queue.length;
  }

  /**
   * Waits for a place. @returns what gives the place back; calling it again does nothing
   * @throws ERR_QUEUE_FULL, ERR_OVERLOADED after the longest wait, the reason of an aborted signal
   */
  async enter(visitor: Visitor): Promise<() => void> {
    visitor.signal.throwIfAborted();
    if (this.atWork >= this.limits.concurrentRequests) {
      if (this.queue.length >= this.limits.queueLength) this.makeRoom(visitor);
      await this.turn(visitor);
    } else this.take(visitor.tenant);
    const start = performance.now();
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.expectedSeconds += LEARNING_RATE * ((performance.now() - start) / 1000 - this.expectedSeconds);
      this.leave(visitor.tenant);
    };
  }

  private turn(visitor: Visitor): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaveQueue = (error: unknown) => {
        this.queue.splice(this.queue.indexOf(entry), 1);
        end();
        reject(error);
      };
      const timer = setTimeout(() => leaveQueue(this.late()), this.limits.queueSeconds * 1000);
      const abort = () => leaveQueue(visitor.signal.reason);
      const end = () => {
        clearTimeout(timer);
        visitor.signal.removeEventListener("abort", abort);
      };
      const entry: Waiting = {
        ...visitor,
        enter: () => {
          end();
          resolve();
        },
        refuse: leaveQueue,
      };
      visitor.signal.addEventListener("abort", abort, { once: true });
      this.queue.push(entry);
    });
  }

  /**
   * A full queue refuses whoever has the least claim: of the lowest priority, of the tenant with the most requests here,
   * the last who came. One who fills the queue would else keep all others out. @throws ERR_QUEUE_FULL if it is `visitor`
   */
  private makeRoom(visitor: Visitor): void {
    const here = new Map(this.inside);
    for (const { tenant } of this.queue) here.set(tenant, (here.get(tenant) ?? 0) + 1);
    const count = ({ tenant }: Visitor) => here.get(tenant) ?? 0;
    const byClaim = (a: Visitor, b: Visitor) => a.priority - b.priority || count(b) - count(a);
    const last = this.queue.reduceRight<Waiting | undefined>(
      (least, one) => (least && byClaim(least, one) <= 0 ? least : one),
      undefined,
    );
    const isFairer = last && visitor.priority === last.priority && count(visitor) + 1 < count(last);
    if (!last || !(visitor.priority > last.priority || isFairer)) throw this.full();
    last.refuse(this.full());
  }

  private take(tenant: string): void {
    this.atWork++;
    this.inside.set(tenant, (this.inside.get(tenant) ?? 0) + 1);
  }

  private leave(tenant: string): void {
    this.atWork--;
    const left = this.inside.get(tenant)! - 1;
    if (left > 0) this.inside.set(tenant, left);
    else this.inside.delete(tenant);
    const next = this.next();
    if (next) {
      this.queue.splice(this.queue.indexOf(next), 1);
      this.take(next.tenant);
      next.enter();
    }
  }

  private next(): Waiting | undefined {
    let best: Waiting | undefined;
    for (const one of this.queue) if (!best || this.isBefore(one, best)) best = one;
    return best;
  }

  private isBefore(a: Waiting, b: Waiting): boolean {
    if (a.priority !== b.priority) return a.priority > b.priority;
    return (this.inside.get(a.tenant) ?? 0) < (this.inside.get(b.tenant) ?? 0);
  }

  /** When a place for one more is to be expected. */
  private get retryAfterSeconds(): number {
    return (this.expectedSeconds * (this.queue.length + 1)) / this.limits.concurrentRequests;
  }

  private full(): GemmaError {
    const { retryAfterSeconds } = this;
    const what = `queue: must have room for another request, got ${this.limits.queueLength} that wait`;
    return new GemmaError("ERR_QUEUE_FULL", what, { retryAfterSeconds });
  }

  private late(): GemmaError {
    const { retryAfterSeconds } = this;
    const what = `queue: must have a free place within ${this.limits.queueSeconds} s, got none`;
    return new GemmaError("ERR_OVERLOADED", what, { retryAfterSeconds });
  }
}
