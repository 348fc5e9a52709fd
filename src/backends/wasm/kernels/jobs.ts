// A job is a kernel and a number of items. Threads take a few items at a time until none are left; whoever comes late
// takes none, so that nobody waits for a thread that has lost its core.
import { ARGS, DONE, FAILED, GRAIN, ITEMS, KERNEL, MAY_WAIT, NARROW, QUIT, SCRATCH_BYTES, SLEEPERS, TICKET } from "../layout";
import { dispatch } from "./dispatch";
import { hasPairDots } from "./dot";

const IDLE_SPINS = 20000; // about 30 µs, then a thread sleeps
const DONE_SPINS = 20000; // then the core may be what another thread waits for
const NAP_NS: i64 = 50000;

/** Of this thread. */
export let scratch: usize = 0;

export function init(firstScratch: usize, thread: u32): void {
  scratch = firstScratch + thread * SCRATCH_BYTES;
  if (thread == 0) store<u32>(NARROW, hasPairDots() ? 1 : 0);
}

// @ts-ignore: decorator
@inline
export function arg(i: i32): usize {
  return load<usize>(ARGS + 4 * i);
}

// @ts-ignore: decorator
@inline
export function argF32(i: i32): f32 {
  return load<f32>(ARGS + 4 * i);
}

/** Computes all items. The arguments lie at ARGS. */
export function run(kernel: u32, items: u32, grain: u32): void {
  if (!ASC_FEATURE_THREADS) {
    dispatch(kernel, 0, items);
    return;
  }
  if (items <= grain) {
    dispatch(kernel, 0, items);
    return;
  }
  const job = atomic.load<u64>(TICKET) >> 32;
  // Closed first: a thread that still holds the last job's ticket must not find it good for this one's items.
  atomic.store<u64>(TICKET, (job << 32) | 0xffffffff);
  atomic.store<u32>(ITEMS, items);
  atomic.store<u32>(GRAIN, grain);
  atomic.store<u32>(KERNEL, kernel);
  atomic.store<u32>(DONE, 0);
  atomic.store<u64>(TICKET, (job + 1) << 32);
  if (atomic.load<u32>(SLEEPERS) != 0) atomic.notify(TICKET + 4, -1);
  takeItems();
  for (let spins = 0; atomic.load<u32>(DONE) != items; spins++) {
    if (atomic.load<u32>(FAILED) != 0) unreachable();
    if (spins < DONE_SPINS || load<u32>(MAY_WAIT) == 0) continue;
    atomic.wait<i32>(DONE, atomic.load<i32>(DONE), NAP_NS);
    spins = 0;
  }
}

/** What a helper thread does until it is told to quit. */
export function serve(): void {
  if (!ASC_FEATURE_THREADS) return;
  let seen: u32 = 0;
  while (true) {
    let job = atomic.load<u32>(TICKET + 4);
    for (let spins = 0; job == seen && spins < IDLE_SPINS; spins++) job = atomic.load<u32>(TICKET + 4);
    if (atomic.load<u32>(QUIT) != 0) return;
    if (job == seen) {
      atomic.add<u32>(SLEEPERS, 1);
      atomic.wait<i32>(TICKET + 4, job, -1);
      atomic.sub<u32>(SLEEPERS, 1);
      continue;
    }
    seen = job;
    takeItems();
  }
}

/**
 * A job's fields change only while the ticket is closed, and a ticket never comes back: what was read between a ticket and the
 * exchange of that same ticket belongs to its job.
 */
function takeItems(): void {
  if (!ASC_FEATURE_THREADS) return;
  while (true) {
    const ticket = atomic.load<u64>(TICKET);
    const begin = <u32>ticket;
    const items = atomic.load<u32>(ITEMS);
    if (begin >= items) return;
    const left = items - begin;
    const grain = atomic.load<u32>(GRAIN);
    const count = left < grain ? left : grain;
    const kernel = atomic.load<u32>(KERNEL);
    if (atomic.cmpxchg<u64>(TICKET, ticket, ticket + count) != ticket) continue;
    dispatch(kernel, begin, begin + count);
    atomic.add<u32>(DONE, count);
  }
}
