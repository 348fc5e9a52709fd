import { expect, test } from "vitest";
import { draftPlan, type Guesses, StepTimes } from "./draft-rows.js";
import { HEAD_ROWS } from "./step.js";

const draftLengths = (guesses: readonly Guesses[], rows: number, times: StepTimes) =>
  draftPlan(guesses, rows, times).lengths;

/** Times of steps that take `base` ms and `row` ms more for each row behind the first. */
function learned(base: number, row: number): StepTimes {
  const times = new StepTimes();
  for (let round = 0; round < 20; round++) {
    for (let rows = 1; rows <= HEAD_ROWS; rows++) times.observe(rows, base + (rows - 1) * row);
  }
  return times;
}

test("a row of a prompt costs what is left beside the newest tokens", () => {
  const times = learned(10, 1);
  times.observePrompts(100, 100, 50);
  expect(times.promptRowMs).toBeCloseTo(0.5);
  for (let i = 0; i < 20; i++) times.observePrompts(108, 100, 17 + 30);
  expect(times.promptRowMs).toBeCloseTo(0.3);
  times.observePrompts(108, 100, 5000); // held up
  expect(times.promptRowMs).toBeLessThanOrEqual(0.46);
  times.observePrompts(16, 4, 100); // too few to tell
  expect(times.promptRowMs).toBeLessThanOrEqual(0.46);
});

const sure = { trust: 0.95, most: 100 };
const doubtful = { trust: 0.1, most: 100 };

test("nothing is computed before a step was timed", () => {
  expect(draftLengths([sure], 1, new StepTimes())).toEqual([0]);
});

test("times of row counts that were not seen follow from those that were", () => {
  const times = new StepTimes();
  times.observe(1, 10);
  expect(times.ms(3)).toBeCloseTo(10 + 2 * 1.5);
  for (let i = 0; i < 20; i++) times.observe(2, 14);
  expect(times.ms(4)! / times.ms(2)!).toBeGreaterThan(1.4);
  expect(times.ms(10 * HEAD_ROWS)! / times.ms(HEAD_ROWS)!).toBeGreaterThan(5);
});

test("one step that was held up counts as twice its time at most", () => {
  const times = learned(10, 1);
  times.observe(1, 1000);
  expect(times.ms(1)).toBeLessThan(15.1);
});

test("a row count that is not measured for long is tried again", () => {
  const times = learned(10, 1);
  for (let i = 0; i < 20; i++) times.observe(2, 30);
  const slow = times.ms(2)!;
  for (let i = 0; i < 2000; i++) times.observe(1, 10);
  expect(times.ms(2)! / slow).toBeLessThan(0.5);
});

test("drafts are as long as they gain", () => {
  expect(draftLengths([sure], 1, learned(10, 0.5))).toEqual([HEAD_ROWS - 1]);
  expect(draftLengths([doubtful], 1, learned(10, 2))).toEqual([0]);
  const [some] = draftLengths([{ trust: 0.6, most: 100 }], 1, learned(10, 2));
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(4);
  expect(draftLengths([{ trust: 0.95, most: 2 }], 1, learned(10, 0.5))).toEqual([2]);
  expect(draftLengths([{ trust: 0.95, most: -1 }], 1, learned(10, 0.5))).toEqual([0]);
});

test("in a batch the likeliest guesses come first, and only while the batch gains", () => {
  const [a, b] = draftLengths([sure, { trust: 0.5, most: 100 }], 2, learned(10, 0.5));
  expect(a).toBeGreaterThan(b!);
  // Where rows are what costs, a row for one job takes time from all others.
  expect(draftLengths([sure, doubtful, doubtful, doubtful], 8, learned(10, 10))).toEqual([0, 0, 0, 0]);
  expect(draftLengths([sure], HEAD_ROWS, learned(10, 0.1))).toEqual([0]);
});

test("a plan says what it expects; without guesses that is what steps take", () => {
  const times = learned(10, 1);
  expect(draftPlan([doubtful], 1, times).rate).toBeCloseTo(1 / 10, 2);
  const { lengths, rate } = draftPlan([{ trust: 0.5, most: 1 }], 1, times);
  expect(lengths).toEqual([1]);
  expect(rate).toBeCloseTo(1.5 / 11, 2);
  expect(draftPlan([sure], 1, new StepTimes()).rate).toBe(0);
});

test("a draft model's steps cost what they take: less is drafted the more they do, and nothing where they take most of it", () => {
  const times = learned(10, 0.2);
  const drafted = { trust: 0.8, most: 100, isDrafted: true };
  const lengths = [0.1, 1, 3, 9].map((ms) => draftPlan([drafted], 1, times, () => ms).lengths[0]!);
  expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
  expect(lengths[0]).toBeGreaterThan(6);
  expect(lengths[2]).toBeGreaterThan(0);
  expect(lengths[3]).toBe(0);
  // What is looked up costs no such step.
  expect(draftPlan([{ trust: 0.8, most: 100 }], 1, times, () => 9).lengths[0]).toBeGreaterThan(6);
});

test("one step of the draft model serves all jobs: it is paid once", () => {
  const times = learned(10, 0.2);
  const jobsOfSteps: number[] = [];
  const drafted = { trust: 0.8, most: 1, isDrafted: true };
  const plan = draftPlan(Array(4).fill(drafted), 4, times, (jobs) => {
    jobsOfSteps.push(jobs);
    return 3; // four times that would take more than is gained
  });
  expect(plan.lengths).toEqual([1, 1, 1, 1]);
  expect(jobsOfSteps).toEqual([1, 2, 3, 4]);
});
