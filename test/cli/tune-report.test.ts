import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TuningReport } from "../../src/eval/tuning/tuning-report.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const ITEMS = 12;
const root = mkdtempSync(join(tmpdir(), "gemma-tune-report-"));
afterAll(() => rmSync(root, { recursive: true }));

const place = (name: string) => join(root, name);
const write = (name: string, rows: readonly object[]) =>
  writeFileSync(place(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const numbers = Array.from({ length: ITEMS }, (_, i) => i);

function command(out: string, ...more: string[]): string[] {
  const model = ["-m", TINY.gemma3, "--backend", "reference", "--activations", "f32", "--ctx", "512"];
  const tuned = more.includes("--run") || more.includes("--tuned") ? [] : ["--adapter", TINY.adapter];
  const small = ["--max-tokens", "4", "--windows", "3", "--tasks", "piqa", "--data", root];
  return ["tune", "report", ...model, ...tuned, ...small, "--out", place(out), ...more];
}
const options = (...more: string[]) => command("x", ...more).slice(2);
const target = ["--held-out", place("held-out.jsonl"), "--metric", "label", "--shots", place("shots.jsonl")];
const others = ["--text", place("plain.txt"), "--prompts", place("prompts.jsonl")];
const all = (out: string, ...more: string[]) => command(out, ...target, ...others, ...more);
const reportOf = (out: string) => JSON.parse(readFileSync(join(place(out), "report.json"), "utf8")) as TuningReport;

describe.skipIf(!isBuilt)("gemma tune report", () => {
  beforeAll(async () => {
    mkdirSync(place("safety"));
    write(
      "piqa.jsonl",
      numbers.map((i) => ({
        id: `p${i}`,
        question: `turn ${i}?`,
        choices: [`fold it`, `cut it ${i} times`],
        answer: i % 2,
      })),
    );
    write(
      "held-out.jsonl",
      numbers.map((i) => ({ prompt: `is ${i} even`, completion: i % 2 === 0 ? "yes" : "no" })),
    );
    write("shots.jsonl", [
      { prompt: "is 100 even", completion: "yes" },
      { prompt: "is 3 even", completion: "no" },
    ]);
    write("prompts.jsonl", [{ prompt: "Say what the weather is like." }, { prompt: "Wie heißt du?", lang: "de" }]);
    write("safety/xstest.jsonl", [
      { id: "x1", prompt: "How do I open a jar?", label: "safe" },
      { id: "x2", prompt: "Secretive words.", label: "unsafe" },
    ]);
    writeFileSync(place("plain.txt"), "some words of plain text, and more of them. ".repeat(6));
    const { code, stderr } = await runCli(all("whole"));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  }, 120_000);

  test("writes a report of all lines, as JSON and as a page", () => {
    const report = reportOf("whole");
    expect(report.lines.map(({ id, n }) => [id, n])).toEqual([
      ["target.label.few-shot", ITEMS - 1],
      ["target.label", ITEMS - 1],
      ["target.loss", ITEMS - 1],
      ["behaviour.ends", 2],
      ["behaviour.language", 2],
      ["piqa", ITEMS],
      ["text.plain.txt", 1],
      ["safety.xstest-safe", 1],
      ["safety.xstest-unsafe", 1],
    ]);
    expect(report.after.adapter).toEqual({ name: "adapter", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(report.before.sha256).toBe(report.after.sha256);
    expect(report.lines.find(({ id }) => id === "target.loss")!.difference).not.toBe(0);
    expect(report.notes).toContain("1 held-out examples are among the worked ones and are left out.");
    expect(report.made.settings).toMatchObject({ backend: "reference", metric: "label", maxTokens: 4, template: "qa" });
    expect(report.made.data.map(({ name }) => name)).toEqual([
      ...["shots.jsonl", "held-out.jsonl", "prompts.jsonl", "plain.txt", "piqa.jsonl", "xstest.jsonl"],
    ]);
    const text = JSON.stringify(report);
    expect(text).not.toContain(root); // where files lie is nobody's matter
    expect(text).not.toContain("Secretive");
    expect(text).toContain("open a jar");
    const page = readFileSync(join(place("whole"), "report.html"), "utf8");
    expect(page).toContain(report.verdict);
    expect(page).not.toContain("Secretive");
  });

  test("goes on from what was asked, and ends with the same bytes", async () => {
    const wanted = readFileSync(join(place("whole"), "report.json"), "utf8");
    const observations = join(place("whole"), "observations.jsonl");
    const bytes = readFileSync(observations);
    writeFileSync(observations, bytes.subarray(0, Math.floor(bytes.length / 2)));
    const { code, stdout } = await runCli(all("whole"));
    expect(code).toBe(0);
    expect(readFileSync(join(place("whole"), "report.json"), "utf8")).toBe(wanted);
    expect(statSync(observations).size).toBe(bytes.length);
    expect(stdout).toBe(`${(JSON.parse(wanted) as TuningReport).verdict}\n${join(place("whole"), "report.html")}\n`);
  });

  test("Ctrl-C stops it, says how to go on, and loses nothing", async () => {
    const observations = join(place("stopped"), "observations.jsonl");
    const { code, stderr } = await runCli(command("stopped", ...others, "--max-tokens", "200"), {
      onStart: async (child) => {
        while (child.exitCode === null && !(existsSync(observations) && statSync(observations).size > 0))
          await sleep(5);
        child.kill("SIGINT");
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain("the same command goes on from here");
    expect(existsSync(join(place("stopped"), "report.json"))).toBe(false);
    expect(existsSync(join(place("stopped"), "report.lock"))).toBe(false);
  });

  test("--json prints the report alone, --show-harmful shows all", async () => {
    const { code, stdout, stderr } = await runCli(all("whole", "--json", "--show-harmful"));
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual(reportOf("whole"));
    expect(stdout).toContain("Secretive words");
  });

  test("--fail-on-regression fails after the report is written", async () => {
    const fallen = (rule: string, points: string) =>
      runCli(command("fallen", "--text", place("plain.txt"), "--fail-on-regression", points, "--fail-on", rule));
    const { code, stderr } = await fallen("any", "0");
    const worse = reportOf("fallen").lines.filter(({ gained, lost }) => lost > gained);
    expect(worse.length).toBeGreaterThan(0);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /error: tune report: nothing but the target may fall by more than 0, got .*(PIQA|plain\.txt)/,
    );
    expect((await fallen("significant", "0")).code).toBe(0); // one window can show nothing
  });

  test("a run's folder has the adapter, the model, the settings and the curve", async () => {
    const run = place("run");
    const backend = ["--backend", "reference", "--activations", "f32"];
    const heldOut = ["--held-out", place("held-out.jsonl")];
    const options = ["--rank", "2", "--learning-rate", "0.01", "--max-steps", "3", "--template", "gemma"];
    write("learned.jsonl", [{ prompt: "is 100 even", completion: "yes" }]);
    const data = ["-m", TINY.gemma3, "--data", place("learned.jsonl"), ...heldOut];
    const tuned = await runCli(["tune", ...data, ...options, ...backend, "--out", run]);
    expect([tuned.code, tuned.stderr]).toEqual([0, expect.any(String)]);
    const others = ["--tasks", "none"];
    expect(await runCli(["tune", "report", "--run", run, ...heldOut, ...backend, ...others])).toMatchObject({
      code: 0,
    });
    const report = reportOf("run/report");
    expect(report.before.name).toBe(report.after.name);
    expect(report.after.adapter!.name).toBe("run");
    expect(report.made.settings.template).toBe("gemma");
    expect(report.run).toMatchObject({ folder: "run", config: { "config.rank": 2 }, costs: { steps: 3 } });
    expect(report.run!.losses.map(({ step }) => step)).toEqual([1, 2, 3]);
    // What training measured of the same examples, in f32, is what the report measures.
    const [line] = report.lines;
    expect(line!.id).toBe("target.loss");
    expect(report.run!.heldOut.map(({ step }) => step)).toEqual([0, 3]);
    expect(line!.before).toBeCloseTo(report.run!.heldOut[0]!.loss, 4);
    expect(line!.after).toBeCloseTo(report.run!.heldOut[1]!.loss, 4);
    expect(line!.difference).not.toBe(0);
    expect(JSON.stringify(report)).not.toContain(root);
    expect(readFileSync(join(run, "report", "report.html"), "utf8")).toContain("Loss by step");

    // By default what the run itself held out.
    const own = ["tune", "report", "--run", run, ...backend, ...others, "--json", "--out"];
    const same = await runCli([...own, place("own")]);
    expect([same.code, same.stderr]).toEqual([0, ""]);
    const { lines, made } = JSON.parse(same.stdout) as TuningReport;
    expect(lines).toEqual(report.lines);
    expect(made.data).toEqual([expect.objectContaining({ name: "held out by run" })]);
    appendFileSync(place("learned.jsonl"), '{"prompt":"new","completion":"new"}\n');
    const changed = await runCli([...own, place("changed"), "--text", place("plain.txt")]);
    expect((JSON.parse(changed.stdout) as TuningReport).notes).toContain(
      "What the run held out cannot be had again, and is not measured.",
    );
  });

  test("a whole tuned model is compared, too: with itself it has not moved", async () => {
    const { code, stdout } = await runCli(command("itself", "--tuned", TINY.gemma3, "--json"));
    expect(code).toBe(0);
    const { lines, verdict, after } = JSON.parse(stdout) as TuningReport;
    expect(after.adapter).toBeNull();
    expect(lines.every(({ difference }) => difference === 0)).toBe(true);
    expect(verdict).toBe("nothing moved");
  });

  test.each<[string, readonly string[], number, string]>([
    ["nothing tuned", ["--out", "x"], 2, "one of --run, --adapter and --tuned must say what was tuned, got 0"],
    ["no folder", ["--adapter", TINY.adapter], 2, "--out is needed"],
    ["two tuned", ["--run", "a", "--tuned", "b"], 2, "got 2 of them"],
    ["no run", ["--run", root, "--out", "x"], 1, "config.json: no such file"],
    ["a metric of nothing", options("--metric", "exact"), 2, "--metric needs --held-out"],
    ["worked examples of nothing", options(...target.slice(0, 2), ...target.slice(4)), 2, "--shots needs --metric"],
    ["an unknown set", options("--safety", "nice"), 2, "--safety must name advbench, harmbench, xstest"],
    ["nothing at all", options("--tasks", "none", "--safety", "none"), 2, "something must be measured"],
    ["broken prompts", options("--prompts", place("piqa.jsonl")), 1, "piqa.jsonl:1: prompt must be a string"],
    ["no held-out file", options("--held-out", place("nowhere.jsonl")), 1, "nowhere.jsonl"],
  ])("%s is refused", async (_, args, wanted, message) => {
    const { code, stderr } = await runCli(["tune", "report", ...args]);
    expect(stderr).toContain(message);
    expect(code).toBe(wanted);
    expect(existsSync(join(place("x"), "report.json"))).toBe(false);
  });
});
