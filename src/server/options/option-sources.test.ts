import { expect, test } from "vitest";
import { GemmaError } from "../../base/errors.js";
import { describeOptions, OPTIONS, type OptionSources, readOptions } from "./option-sources.js";

const file = (value: unknown) => ({ name: "c.json", text: JSON.stringify(value) });

test("options: every one has a flag and a variable of its own, and words that explain it", () => {
  for (const field of ["flag", "variable"] as const) {
    expect(new Set(OPTIONS.map((option) => option[field])).size).toBe(OPTIONS.length);
  }
  for (const { description, flag, variable } of OPTIONS) {
    expect(description).not.toBe("");
    expect(flag).toMatch(/^--[a-z][a-z-]+$/);
    expect(variable).toMatch(/^GEMMA_SERVE_[A-Z_]+$/);
  }
});

test("options: the defaults", () => {
  const { options, sources } = readOptions({});
  expect(options).toEqual({
    ...{ host: "127.0.0.1", port: 8080, insecureNoKey: false, graceSeconds: 30 },
    ...{
      hosts: [],
      origins: [],
      aliases: [],
      rateLimit: {},
      promptLookup: true,
      logPrompts: false,
      logLevel: "info",
      docs: true,
      site: true,
      weights: false,
    },
    limits: {
      ...{ bodyBytes: 2097152, concurrentRequests: 64, queueLength: 64, queueSeconds: 30, requestSeconds: 600 },
      ...{ choices: 16, batchPrompts: 64, writeSeconds: 30, connections: 1024 },
    },
  });
  expect(new Set(sources.values())).toEqual(new Set(["default"]));
});

test("options: flags go before the environment, that before the file, that before defaults", () => {
  const flags = { "limits.choices": "1" };
  const env = { GEMMA_SERVE_CHOICES: "2", GEMMA_SERVE_QUEUE_LENGTH: "20", GEMMA_SERVE_DOCS: "off", PATH: "x" };
  const config = file({ port: 1, limits: { choices: 3, queueLength: 30, batchPrompts: 300 } });
  const { options, sources } = readOptions({ flags, env, file: config });
  expect(options.limits).toMatchObject({ choices: 1, queueLength: 20, batchPrompts: 300, bodyBytes: 2097152 });
  expect(options).toMatchObject({ port: 1, docs: false });
  const from = ["limits.choices", "limits.queueLength", "docs", "limits.batchPrompts", "host"].map((p) =>
    sources.get(p),
  );
  expect(from).toEqual(["flag", "environment", "environment", "file", "default"]);
});

test("options: lists come from flags that repeat, and from variables with commas", () => {
  const { options } = readOptions({
    flags: { hosts: ["a.example", "b.example:8080"] },
    env: { GEMMA_SERVE_ALLOW_ORIGIN: "https://a.example, https://b.example", GEMMA_SERVE_ALIAS: "" },
  });
  expect(options.hosts).toEqual(["a.example", "b.example:8080"]);
  expect(options.origins).toEqual(["https://a.example", "https://b.example"]);
  expect(options.aliases).toEqual([]);
});

test.each<[string, OptionSources, string]>([
  ["an unknown key", { file: file({ prot: 1 }) }, 'c.json: must have no unknown keys, got "prot"'],
  [
    "one further in",
    { file: file({ limits: { bodyBites: 1 } }) },
    'c.json: limits must have no unknown keys, got "bodyBites"',
  ],
  ["a poisoned prototype", { file: { name: "c.json", text: '{"__proto__":{"x":1}}' } }, 'got "__proto__"'],
  ["an unknown variable", { env: { GEMMA_SERVE_PROT: "1" } }, "got GEMMA_SERVE_PROT"],
  [
    "a number of the file",
    { file: file({ limits: { choices: 0 } }) },
    "c.json: limits.choices must be an integer in 1..128, got 0",
  ],
  [
    "a group that is none",
    { file: file({ limits: null }), flags: { "limits.choices": "1" } },
    "c.json: limits must be an object, got null",
  ],
  ["a number of a flag", { flags: { port: "80a" } }, 'serve: --port must be an integer in 0..65535, got "80a"'],
  [
    "a number of a variable",
    { env: { GEMMA_SERVE_PORT: "70000" } },
    "serve: GEMMA_SERVE_PORT must be an integer in 0..65535, got 70000",
  ],
  [
    "yes or no",
    { env: { GEMMA_SERVE_DOCS: "perhaps" } },
    'serve: GEMMA_SERVE_DOCS must be true or false, got "perhaps"',
  ],
  [
    "one of a list",
    { env: { GEMMA_SERVE_ALLOW_ORIGIN: "*,evil" } },
    "serve: GEMMA_SERVE_ALLOW_ORIGIN must be an origin",
  ],
  ["a file that is no object", { file: file([]) }, "c.json: must be a JSON object, got an array"],
  ["a file that is no JSON", { file: { name: "c.json", text: "{" } }, "c.json: "],
])("options: %s is told", (_, from, says) => {
  let error: unknown;
  try {
    readOptions(from);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(GemmaError);
  expect((error as GemmaError).message).toContain(says);
  expect({}).not.toHaveProperty("x");
});

test("describeOptions: a line a group, and where values come from", () => {
  const lines = describeOptions(
    readOptions({
      flags: { port: "9" },
      env: { GEMMA_SERVE_REQUESTS_PER_MINUTE: "5" },
      file: file({ aliases: ["g"] }),
    }),
  );
  expect(lines[0]).toBe(
    "server: host=127.0.0.1 port=9 (flag) insecureNoKey=false graceSeconds=30 hosts=[] origins=[] " +
      'aliases=["g"] (file) promptLookup=true logPrompts=false logLevel=info docs=true site=true weights=false',
  );
  expect(lines[1]).toMatch(/^limits: bodyBytes=2097152 .* connections=1024$/);
  expect(lines[2]).toBe("rateLimit: requestsPerMinute=5 (environment)");
});
