import { type Instruments, measure } from "./measure.js";
import type { PlannedItem, TaskPlan } from "./plan.js";
import type { ItemRecord } from "./results.js";
import type { Task } from "./task.js";
import { type WorkOptions, workThrough } from "./work-through.js";

export interface RunProgress {
  /** The task of the item finished last. */
  readonly task: string;
  readonly done: number;
  readonly total: number;
  readonly itemsPerSecond: number;
  readonly remainingSeconds: number;
  /** Share of right answers among that task's finished items, 0 to 1. */
  readonly score: number;
}

export interface RunOptions extends Instruments, WorkOptions {
  /** Records of an earlier part of the run, by `recordKey`: their items are not measured again. */
  readonly recorded?: ReadonlyMap<string, ItemRecord>;
  /** Receives each record as soon as its item is finished. */
  readonly onRecord?: (record: ItemRecord) => void;
  readonly onProgress?: (progress: RunProgress) => void;
}

export function recordKey({ task, id }: Pick<ItemRecord, "task" | "id">): string {
  return `${task}\n${id}`;
}

/**
 * Measures every item that is not recorded yet, many at a time.
 *
 * @returns a record for each planned item, in the order of the plans
 * @throws what the first failing item threw, once those under work have ended
 */
export async function evaluate(plans: readonly TaskPlan[], options: RunOptions): Promise<readonly ItemRecord[]> {
  const records = new Map<string, ItemRecord>();
  const waiting: { readonly task: Task; readonly planned: PlannedItem }[] = [];
  for (const { task, items } of plans) {
    for (const planned of items) {
      const key = recordKey({ task: task.name, id: planned.id });
      const known = options.recorded?.get(key);
      if (known) records.set(key, known);
      else waiting.push({ task, planned });
    }
  }
  const progress = new ProgressMeter(records.values(), records.size + waiting.length);
  await workThrough(waiting, options, async ({ task, planned }, signal) => {
    const record = await measure(task, planned, { ...options, signal });
    options.onRecord?.(record);
    records.set(recordKey(record), record);
    options.onProgress?.(progress.finished(record));
  });
  return plans.flatMap(({ task, items }) => items.map(({ id }) => records.get(recordKey({ task: task.name, id }))!));
}

class ProgressMeter {
  private readonly start = performance.now();
  private readonly counts = new Map<string, { done: number; right: number }>();
  private done = 0;
  private readonly before: number;

  constructor(
    recorded: Iterable<ItemRecord>,
    private readonly total: number,
  ) {
    for (const record of recorded) this.count(record);
    this.before = this.done;
  }

  finished(record: ItemRecord): RunProgress {
    const { done, right } = this.count(record);
    const itemsPerSecond = ((this.done - this.before) / (performance.now() - this.start)) * 1000;
    return {
      task: record.task,
      done: this.done,
      total: this.total,
      itemsPerSecond,
      remainingSeconds: (this.total - this.done) / itemsPerSecond,
      score: right / done,
    };
  }

  private count({ task, correct }: ItemRecord): { done: number; right: number } {
    const counts = this.counts.get(task) ?? { done: 0, right: 0 };
    this.counts.set(task, counts);
    counts.done++;
    if (correct) counts.right++;
    this.done++;
    return counts;
  }
}
