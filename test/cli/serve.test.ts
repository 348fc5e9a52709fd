import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { type ServedOptions, ServedProcess } from "../helpers/served.js";
import { TINY } from "../helpers/tiny-models.js";

let home = "";
let env: Record<string, string> = {};
let served: ServedProcess | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "gemma-serve-"));
  env = { GEMMA_HOME: home };
});
afterEach(async () => {
  if (served?.code === null) await served.end("SIGKILL");
  served = undefined;
  rmSync(home, { recursive: true, force: true });
});

function serve(args: readonly string[] = [], options: ServedOptions = {}): ServedProcess {
  served = ServedProcess.start(args, { ...options, env: { ...env, ...options.env } });
  return served;
}

/** A completion of some hundred tokens as a stream: a second or two on this backend. */
function longAnswer(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ prompt: "a b c", max_tokens: 200, stream: true, temperature: 0 });
  return fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

describe.skipIf(!isBuilt)("gemma serve", () => {
  test("opens the port, loads, says where, answers, and ends with 0", async () => {
    const server = serve(["--adapter", `style=${TINY.adapter}`, "--alias", "g"]);
    const url = await server.ready();
    const models = await (await fetch(`${url}/v1/models`)).json();
    expect(models.data.map(({ id }: { id: string }) => id)).toContain("g");
    expect(JSON.stringify(models)).toContain("style");
    expect(await (await longAnswer(url)).text()).toContain("data: [DONE]");
    expect(await server.end("SIGTERM")).toBe(0);
    expect(server.stdout.trimEnd().split("\n").at(-1)).toBe(`listening on ${url}`);
    expect(server.log().at(-1)).toMatchObject({ level: "info", msg: "ended" });
    for (const line of server.stderr.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
  });

  test("--json prints one object", async () => {
    const server = serve(["--json"], { env: { GEMMA_SERVE_CHOICES: "3" } });
    const url = await server.ready();
    expect(await server.end("SIGINT")).toBe(0);
    expect(JSON.parse(server.stdout)).toMatchObject({ url, config: { limits: { choices: 3 } } });
  });

  test("SIGTERM: streams under way end whole, new requests and readiness hear 503, liveness 200, exit 0", async () => {
    const server = serve();
    const url = await server.ready();
    const streams = await Promise.all(Array.from({ length: 4 }, () => longAnswer(url)));
    server.child.kill("SIGTERM");
    await server.until(() => server.log().find(({ reason }) => reason === "SIGTERM"));
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await longAnswer(url)).status).toBe(503);
    for (const stream of streams) {
      const text = await stream.text();
      expect(text).toContain('"finish_reason":"length"');
      expect(text).toContain("data: [DONE]");
    }
    expect(await server.end()).toBe(0);
  });

  test("the grace period ends what is not done, and the process with 0", async () => {
    const server = serve(["--grace-seconds", "0.2"]);
    const url = await server.ready();
    const stream = await longAnswer(url);
    const begun = performance.now();
    server.child.kill("SIGTERM");
    expect(await stream.text()).not.toContain('"finish_reason":"length"');
    expect(await server.end()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(6000);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a second %s ends it at once", async (signal, code) => {
    const server = serve();
    const url = await server.ready();
    const stream = await longAnswer(url);
    server.child.kill(signal);
    await server.until(() => server.log().find(({ reason }) => reason === signal));
    const begun = performance.now();
    expect(await server.end(signal)).toBe(code);
    expect(performance.now() - begun).toBeLessThan(2000);
    await expect(stream.text()).rejects.toThrow();
  });

  test("what does not work is told, with an exit code", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as { port: number };
    const inUse = serve(["--port", String(port)]);
    expect(await inUse.end()).toBe(1);
    expect(inUse.stderr).toContain(`error: serve: port ${port} of 127.0.0.1 must be free, got one in use`);
    busy.close();
    const noModel = serve([], { model: "no-such-model" });
    expect(await noModel.end()).toBe(1);
    expect(noModel.stderr).toContain("error: ");
    expect(noModel.stdout).not.toContain("listening");
  });

  test("help has the flags of the schema, and keys only their own", async () => {
    expect((await runCli(["help", "serve"], { env })).stdout).toContain("GEMMA_SERVE_QUEUE_LENGTH");
    const { stdout } = await runCli(["serve", "keys", "add", "--help"], { env });
    expect(stdout).toContain("--expires <days>");
    expect(stdout).not.toContain("--ctx");
  });

  test.each<[string, string[], Record<string, string>, string]>([
    ["an unknown flag", ["--chioces", "1"], {}, "unknown option '--chioces'"],
    ["an unknown variable", [], { GEMMA_SERVE_CHIOCES: "1" }, "got GEMMA_SERVE_CHIOCES"],
    ["an open door", ["--host", "0.0.0.0"], {}, "must have keys, got 0.0.0.0 and none"],
    ["an adapter without a name", ["--adapter", "/x"], {}, "must be a name"],
    ["an adapter twice", ["--adapter", "a=/x", "--adapter", "a=/y"], {}, "must name each adapter once"],
  ])("%s is wrong usage", async (_, args, variables, says) => {
    const { code, stderr } = await runCli(["serve", ...args], { env: { ...env, ...variables } });
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  });

  test("the config file stands behind flags and the environment", async () => {
    const config = join(home, "serve.json");
    writeFileSync(config, JSON.stringify({ aliases: ["from-file"], limits: { choices: 2, batchPrompts: 3 } }));
    const server = serve(["--config", config, "--choices", "4", "--no-docs"], {
      env: { GEMMA_SERVE_BATCH_PROMPTS: "5" },
    });
    await server.ready();
    await server.end("SIGTERM");
    expect(server.stdout).toContain('aliases=["from-file"] (file)');
    expect(server.stdout).toContain("docs=false (flag)");
    expect(server.stdout).toContain("choices=4 (flag) batchPrompts=5 (environment)");
  });

  test("readers of its output may go: it serves on", async () => {
    const server = serve();
    await server.open();
    server.child.stdout!.destroy();
    const url = await server.ready();
    server.child.stderr!.destroy();
    for (let i = 0; i < 5; i++) expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    expect(await server.end("SIGTERM")).toBe(0);
  });

  test("the log goes to a file; on a full disk it serves on without", async () => {
    const path = join(home, "log");
    const server = serve(["--log-file", path]);
    await server.until(() => (server.stdout.includes("listening") ? true : undefined));
    expect(await server.end("SIGTERM")).toBe(0);
    expect(readFileSync(path, "utf8")).toContain('"msg":"ended"');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(server.stderr).toBe("");
    if (!existsSync("/dev/full")) return;
    const full = serve(["--log-file", "/dev/full"]);
    const [, url] = await full.until(() => /listening on (\S+)/.exec(full.stdout) ?? undefined);
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(Number(/^gemma_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(2);
    expect(metrics).toMatch(/^gemma_connections [1-9]/m);
    expect(await full.end("SIGTERM")).toBe(0);
  });

  test("an exception that nobody caught is logged and ends it with 1", async () => {
    const throwing = join(home, "throwing.mjs");
    writeFileSync(throwing, 'process.on("SIGUSR2", () => { throw new TypeError("unforeseen thing"); });');
    const server = serve([], { env: { NODE_OPTIONS: `--import ${throwing}` } });
    await server.ready();
    expect(await server.end("SIGUSR2")).toBe(1);
    expect(server.log()).toContainEqual(
      expect.objectContaining({ level: "error", msg: "unforeseen: the process ends" }),
    );
    expect(server.stderr).toContain("error: unexpected: unforeseen thing");
  });

  test("spans go to an SDK that is registered before the start", async () => {
    const sdk = join(home, "sdk.mjs");
    const spans = join(home, "spans");
    writeFileSync(
      sdk,
      `import { appendFileSync } from "node:fs";
       import { createRequire } from "node:module";
       const require = createRequire(${JSON.stringify(import.meta.url)});
       const { trace } = require("@opentelemetry/api");
       const { BasicTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
       const exporter = {
         export(spans, done) {
           for (const span of spans) appendFileSync(${JSON.stringify(spans)}, JSON.stringify([span.name, span.attributes]) + "\\n");
           done({ code: 0 });
         },
         shutdown: async () => {},
       };
       trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));`,
    );
    const server = serve([], { env: { NODE_OPTIONS: `--import ${sdk}` } });
    const url = await server.ready();
    await (await longAnswer(url)).text();
    expect(await server.end("SIGTERM")).toBe(0);
    const [name, attributes] = JSON.parse(readFileSync(spans, "utf8"));
    expect(name).toMatch(/^text_completion/);
    expect(attributes).toMatchObject({
      ...{ "gen_ai.operation.name": "text_completion", "gen_ai.usage.output_tokens": 200 },
      ...{ "gen_ai.response.finish_reasons": ["length"], "http.route": "/v1/completions" },
    });
  });
});

describe.skipIf(!isBuilt)("gemma serve keys", () => {
  test("a key is shown once; a server takes it, and one that is added or removed while it runs", async () => {
    const added = await runCli(["serve", "keys", "add", "laptop", "--json"], { env });
    expect(added).toMatchObject({ code: 0, stderr: "" });
    const { key, id, scopes } = JSON.parse(added.stdout);
    expect(scopes).toEqual(["inference"]);
    const listed = await runCli(["serve", "keys", "list", "--json"], { env });
    expect(listed.stdout).not.toContain(key.slice(12));
    expect(JSON.parse(listed.stdout).keys).toMatchObject([{ id, name: "laptop" }]);

    const server = serve();
    const url = await server.ready();
    const status = async (bearer?: string) =>
      (await fetch(`${url}/v1/models`, bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } }))
        .status;
    expect([await status(), await status(`${key.slice(0, -1)}_`), await status(key)]).toEqual([401, 401, 200]);
    const second = await runCli(["serve", "keys", "add", "ci"], { env });
    expect(second.stderr).toContain("this is the only time that the key is shown");
    while ((await status(second.stdout.trim())) !== 200) await sleep(50);
    expect(await runCli(["serve", "keys", "remove", id], { env })).toMatchObject({
      code: 0,
      stdout: `removed ${id} (laptop)\n`,
    });
    while ((await status(key)) !== 401) await sleep(50);
    expect(await server.end("SIGTERM")).toBe(0);
    expect(server.stdout + server.stderr).not.toContain(key.slice(12));
  });

  test("limits, scopes and an end are kept and listed", async () => {
    const flags = ["--scope", "metrics", "--scope", "admin", "--requests-per-minute", "60", "--priority", "-5"];
    const file = ["--keys-file", join(home, "own.json")];
    const { code } = await runCli(["serve", "keys", "add", "ops", ...flags, "--expires", "0", ...file], { env });
    expect(code).toBe(0);
    const { stdout } = await runCli(["serve", "keys", "list", ...file], { env });
    expect(stdout).toMatch(/^[a-z0-9]{8} {2}ops {2}metrics,admin {2}60 requests\/min {2}priority -5 {2}expired \d{4}-/);
  });

  test.each([
    [["remove", "aaaaaaaa"], 1, "id must be that of a key"],
    [["add", "x", "--scope", "root"], 2, "must be one of inference, admin, metrics"],
  ])("gemma serve keys %j is refused", async (args, exit, says) => {
    const { code, stderr } = await runCli(["serve", "keys", ...args], { env });
    expect(code).toBe(exit);
    expect(stderr).toContain(says);
  });
});
