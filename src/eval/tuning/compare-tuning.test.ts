import { expect, test } from "vitest";
import { makeMeasures, makeReport, makeSubjects, OPTIONS } from "../../../test/helpers/tuning-reports.js";
import { FakeSubject } from "../../../test/helpers/tuning-subjects.js";
import { compareTuning, type Observation } from "./compare-tuning.js";

test("every line has both sides, an interval, a test and its items", async () => {
  const report = await makeReport();
  const lines = Object.fromEntries(report.lines.map((line) => [line.id, line]));
  expect(Object.keys(lines)).toEqual([
    "target.label",
    "target.loss",
    "behaviour.ends",
    "text.plain.txt",
    "safety.declined",
  ]);
  // Of 60 numbers 20 are multiples of 3 (right before), 6 of 10 (wrong after), 2 of 30 (right before, wrong after).
  expect(lines["target.label"]).toMatchObject({
    ...{ unit: "share", n: 60, before: 20 / 60, after: 54 / 60, gained: 36, lost: 2 },
    ...{ test: "mcnemar", movement: "better" },
  });
  expect(lines["target.label"]!.difference).toBeCloseTo(34 / 60, 15);
  expect(lines["target.loss"]).toMatchObject({ unit: "nats", after: 1.5, gained: 60, lost: 0, movement: "better" });
  expect(lines["behaviour.ends"]).toMatchObject({ before: 0, after: 1, gained: 60 });
  // Of numbers 0 to 19 "no" is said before to 3 odd ones rightly and 6 even ones wrongly, after to 10 and 2.
  expect(lines["safety.declined"]).toMatchObject({ n: 20, before: 9 / 20, after: 12 / 20 });
  for (const { p, pHolm, low, high, difference, items, n } of report.lines) {
    expect(pHolm).toBeGreaterThanOrEqual(p);
    expect(low).toBeLessThanOrEqual(difference);
    expect(high).toBeGreaterThanOrEqual(difference);
    expect(items).toHaveLength(n);
  }
  expect(report.verdict).toMatch(
    /^target \+56\.7 points \(±\d+\.\d\); .*Ends its turn \+100\.0 \(significant\); nothing else moved$/,
  );
  expect(report.answers).toHaveLength(120);
});

test("withheld texts are nowhere in the report", async () => {
  const { lines } = await makeReport();
  const items = lines.find(({ id }) => id === "safety.declined")!.items;
  expect(items[0]).toEqual({ id: "q0", change: "gained", before: { counts: false }, after: { counts: true } });
});

test("what was recorded is not asked again, and the report is the same, byte for byte", async () => {
  const recorded = new Map<string, unknown>();
  const whole = makeSubjects();
  const keep = ({ key, observed }: Observation) => {
    if (recorded.size < 100) recorded.set(key, JSON.parse(JSON.stringify(observed)));
  };
  const wanted = await compareTuning(whole, makeMeasures(), { ...OPTIONS, onObservation: keep });
  // 60 answers are asked once for two measures, and 20 of them once more for the third.
  expect(whole.before.asked).toBe(120);
  const resumed = makeSubjects();
  const events: number[] = [];
  const report = await compareTuning(resumed, makeMeasures(), {
    ...OPTIONS,
    recorded,
    onProgress: ({ done, total }) => events.push(done / total),
  });
  expect(JSON.stringify(report)).toBe(JSON.stringify(wanted));
  expect(resumed.before.asked + resumed.after.asked).toBe(240 + 6 - 100 - 6);
  expect(events[0]).toBeGreaterThan(100 / 246);
  expect(events.at(-1)).toBe(1);
});

test("what was recorded of another model or question is not used", async () => {
  const keys = new Set<string>();
  const measures = makeMeasures();
  await compareTuning(makeSubjects(), measures, { ...OPTIONS, onObservation: ({ key }) => keys.add(key) });
  const { before } = makeSubjects();
  const other = new FakeSubject({ seed: 3 });
  const more: string[] = [];
  const recorded = new Map([...keys].map((key) => [key, { text: "no", isEnded: true, nats: 1, tokens: 1 }]));
  await compareTuning({ before, after: other }, measures.slice(0, 1), {
    ...OPTIONS,
    recorded,
    onObservation: ({ key }) => more.push(key),
  });
  expect(more).toHaveLength(60);
  expect(more.filter((key) => keys.has(key))).toEqual([]);
});

test("a model compared with itself has not moved", async () => {
  const { after } = makeSubjects();
  const { lines, verdict } = await compareTuning({ before: after, after }, makeMeasures(), OPTIONS);
  expect(lines.map(({ movement, p, difference }) => [movement, p, difference])).toEqual(
    lines.map(() => ["same", 1, 0]),
  );
  expect(verdict).toBe("target 0.0 points (±4.5, not significant); nothing else moved");
});

test("an abort and a failure end it", async () => {
  await expect(makeReport({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  const failing = new FakeSubject({
    seed: 1,
    answer: () => {
      throw new Error("no answer");
    },
  });
  const { after } = makeSubjects();
  await expect(compareTuning({ before: failing, after }, makeMeasures(), OPTIONS)).rejects.toThrow("no answer");
});
