import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ItemRecord, RUN_FORMAT, type RunHeader, type RunResults } from "../eval/results.js";
import { withRunFolder } from "./run-folder.js";

const disk = vi.hoisted(() => ({ room: Infinity }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const writeSync = (file: number, bytes: Uint8Array, at: number) => {
    if (disk.room === 0) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    const count = fs.writeSync(file, bytes, at, Math.min(disk.room, bytes.length - at));
    disk.room -= count;
    return count;
  };
  return { ...fs, writeSync };
});

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "gemma-run-")), "some", "run");
});
afterEach(() => {
  disk.room = Infinity;
  rmSync(join(folder, "..", ".."), { recursive: true });
});

const HEADER: RunHeader = {
  ...{ format: RUN_FORMAT, version: "1.0.0", commit: null, model: { name: "m", sha256: "ab" }, settings: { seed: 0 } },
  tasks: [],
  machines: [{ runtime: "Node 20.0.0", platform: "linux-x64", cpu: "some", threads: 2 }],
};
const RESULTS: RunResults = { format: RUN_FORMAT, tasks: [], benchmarks: [], average: null };
const items = () => join(folder, "items.jsonl");

function record(id: string): ItemRecord {
  return { task: "t", id, prompt: "p\n", response: "r", extracted: null, answer: "é", correct: false };
}

const write = (...ids: string[]) =>
  withRunFolder(folder, HEADER, {}, async (run) => {
    const before = [...run.recorded.values()];
    for (const id of ids) run.append(record(id));
    return before;
  });

test("records are there once appended, and come back", async () => {
  await withRunFolder(folder, HEADER, {}, async (run) => {
    run.append(record("a"));
    expect(readFileSync(items(), "utf8")).toBe(`${JSON.stringify(record("a"))}\n`);
    await run.finish(RESULTS);
  });
  expect(JSON.parse(readFileSync(join(folder, "results.json"), "utf8"))).toEqual(RESULTS);
  expect(JSON.parse(readFileSync(join(folder, "run.json"), "utf8"))).toEqual(HEADER);
  expect(await write("b")).toEqual([record("a")]);
  expect(await write()).toEqual([record("a"), record("b")]);
  expect(existsSync(join(folder, "run.lock"))).toBe(false);
});

test("a line that was not finished is cut off, at every length", async () => {
  const torn = Buffer.from(`${JSON.stringify(record("b"))}\n`);
  for (let length = 1; length < torn.length; length++) {
    rmSync(folder, { recursive: true, force: true });
    await write("a");
    appendFileSync(items(), torn.subarray(0, length));
    expect(await write("c")).toEqual([record("a")]);
    expect(await write()).toEqual([record("a"), record("c")]);
  }
});

test("a full disk leaves no part of a record, so that the next one begins a line", async () => {
  await withRunFolder(folder, HEADER, {}, async (run) => {
    run.append(record("a"));
    disk.room = 20;
    expect(() => run.append(record("b"))).toThrow(expect.objectContaining({ code: "ERR_DISK_FULL" }));
    disk.room = Infinity;
    run.append(record("c"));
  });
  expect(await write()).toEqual([record("a"), record("c")]);
});

test("other settings are refused with what differs", async () => {
  await write("a");
  const other = { ...HEADER, settings: { seed: 1 }, model: { name: "m", sha256: "cd" } };
  await expect(withRunFolder(folder, other, {}, async () => {})).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: `${folder}: the run there must be of the same settings, got model.sha256: "ab", now "cd"; settings.seed: 0, now 1`,
  });
});

test.each([
  ["no JSON", "{\n", "ERR_INVALID_JSON"],
  ["no record", "[]\n", "ERR_INVALID_JSON"],
  ["a record without its verdict", `${JSON.stringify({ ...record("b"), correct: undefined })}\n`, "ERR_MISSING_KEY"],
])("a damaged line is named: %s", async (_, line, code) => {
  await write("a");
  appendFileSync(items(), line);
  await expect(write()).rejects.toMatchObject({ code, message: expect.stringContaining(`${items()}:2: `) });
});

test("records without the header that says what they were made with", async () => {
  await write("a");
  rmSync(join(folder, "run.json"));
  await expect(write()).rejects.toMatchObject({ code: "ERR_MISSING_FILE", hint: expect.stringContaining("--out") });
});

test("a damaged header, and a folder that is a file", async () => {
  await write("a");
  writeFileSync(join(folder, "run.json"), "{");
  await expect(write()).rejects.toMatchObject({ code: "ERR_INVALID_JSON" });
  await expect(withRunFolder(items(), HEADER, {}, async () => {})).rejects.toMatchObject({ code: "ERR_IO" });
});

test("a run that goes on elsewhere names both machines", async () => {
  await write("a");
  const [first] = HEADER.machines;
  const machines = [{ ...first!, cpu: "other" }];
  await withRunFolder(folder, { ...HEADER, machines }, {}, async () => {});
  await write();
  const { machines: known } = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as RunHeader;
  expect(known.map(({ cpu }) => cpu)).toEqual(["some", "other"]);
});

test("of two processes the second waits, and goes on with what the first has recorded", async () => {
  let end = () => {};
  const gate = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first = withRunFolder(folder, HEADER, {}, async (run) => {
    run.append(record("a"));
    await gate;
  });
  while (!existsSync(items())) await new Promise((resolve) => setTimeout(resolve, 5));
  let waits = 0;
  const second = withRunFolder(folder, HEADER, { onWait: () => waits++ }, async ({ recorded }) => [
    ...recorded.values(),
  ]);
  while (waits === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  end();
  await first;
  expect(await second).toEqual([record("a")]);
  expect(waits).toBe(1);
});
