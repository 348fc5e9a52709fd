import { expect, test } from "vitest";
import { makeMeasures, makeSubjects, OPTIONS } from "../../../test/helpers/tuning-reports.js";
import { MemoryData } from "../memory-data.js";
import { planTasks } from "../plan.js";
import { TASKS } from "../tasks/index.js";
import { taskMetricMeasure } from "./answer-measure.js";
import { benchmarkMeasure } from "./benchmark-measure.js";
import { compareTuning } from "./compare-tuning.js";
import { heldOutMeasure } from "./held-out-measure.js";

test("with worked examples the model before is asked in plain text, the tuned one in the template", async () => {
  const subjects = makeSubjects();
  const prompts: string[] = [];
  subjects.before.generate = async ([prompt], { stop }) => {
    prompts.push(`${prompt}|${stop}`);
    return [{ text: " yes", ids: [], finishReason: "stop" }];
  };
  const items = [0, 1, 2].map((i) => ({
    ...{ id: `q${i}`, messages: [{ role: "user" as const, content: `Is ${i} even?` }] },
    reference: i % 2 === 0 ? "yes" : "no",
  }));
  const shots = [{ messages: [{ role: "user" as const, content: "Is 8 even?" }], answer: "yes" }];
  const measures = [
    taskMetricMeasure<string>(items, { metric: "label", maxTokens: 8, shots }),
    taskMetricMeasure<string>(items, { metric: "label", maxTokens: 8 }),
  ];
  const report = await compareTuning(subjects, measures, OPTIONS);
  expect(prompts[0]).toBe("Question: Is 8 even?\nAnswer: yes\n\nQuestion: Is 0 even?\nAnswer:|\n");
  const [fewShot, same] = report.lines;
  expect(fewShot).toMatchObject({ id: "target.label.few-shot", title: "Held-out task, from 1-shot", before: 2 / 3 });
  expect(fewShot!.about).toContain("before: 1-shot in plain text; after: 0-shot");
  expect(same).toMatchObject({ id: "target.label", before: 1 / 3 });
  expect(report.answers).toHaveLength(3);
});

test("preferences have a line of their own, and what does not fit is told", async () => {
  const subjects = makeSubjects();
  const losses = (flip: boolean) => async (example: string) => {
    const [a, b] = [1, 2].map((nats) => ({ nats, tokens: example === "long" ? 0 : 4 }));
    return flip ? [b!, a!] : [a!, b!];
  };
  subjects.before.loss = losses(true);
  subjects.after.loss = losses(false);
  const items = ["one", "two", "long"].map((example) => ({ id: example, messages: [], reference: null, example }));
  const { lines, notes } = await compareTuning(subjects, [heldOutMeasure(items)], OPTIONS);
  expect(lines.map(({ id, before, after, n }) => [id, before, after, n])).toEqual([
    ["target.preferred", 0, 1, 3],
    ["target.loss", 0.5, 0.25, 2],
  ]);
  expect(notes).toEqual(["Held-out loss: 1 examples have no learned token within the context."]);
});

test("a benchmark's line counts its own metric, with the choices as texts", async () => {
  const rows = ["a", "b", "c"].map((id) => ({
    ...{ id, question: `Which letter is ${id}?`, choices: ["a", "b", "c", "d"], answer: "abc".indexOf(id) },
  }));
  const task = TASKS.find(({ name }) => name === "arc_easy")!;
  const [plan] = await planTasks([task], new MemoryData({ "arc_easy.jsonl": rows }), { seed: 0, limit: 2 });
  const { lines, notes } = await compareTuning(makeSubjects(), [benchmarkMeasure<string>(plan!, { seed: 0 })], OPTIONS);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ id: "arc_easy", role: "regression", title: "ARC-e", n: 2 });
  for (const { reference, before, after, question } of lines[0]!.items) {
    expect(question).toContain("Which letter is");
    expect(before.counts).toBe(before.text === reference);
    expect(after.counts).toBe(after.text === reference);
  }
  expect(notes).toContain("ARC-e: 2 of the file's 3 items.");
});

test("measures with nothing to say have no lines", async () => {
  const { lines, verdict } = await compareTuning(makeSubjects(), [heldOutMeasure([])], OPTIONS);
  expect(lines).toEqual([]);
  expect(verdict).toBe("nothing was measured");
  expect(makeMeasures()).toHaveLength(5);
});
