import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyRing, makeKey, type ServerLog } from "../../src/server/index.js";
import { OPERATIONS } from "../../src/server/operations.js";
import type { GemmaServer } from "../../src/server/server.js";
import { get, post, tinyServer } from "../helpers/server.js";

// Who gets in, and what of a request stays in the log.

const OPEN = ["/healthz", "/health/live", "/ping", "/readyz", "/health/ready", "/health"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const CANARY = "canary7f3a";

const keys = {
  inference: makeKey("inference"),
  admin: makeKey("admin", { scopes: ["admin"] }),
  metrics: makeKey("metrics", { scopes: ["metrics"] }),
  old: makeKey("old", { expiresAt: new Date(Date.now() - 1000) }),
};
/** Of the inference key: what is in no other text. Not what is behind an underscore: it may have some itself. */
const SECRET = keys.inference.text.slice(-20);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let lines: string[];
const keep = (fields: object, message: string) => {
  lines.push(JSON.stringify({ ...fields, ...errorsIn(fields) }) + message);
};
const log: ServerLog = { debug: keep, info: keep, warn: keep, error: keep };

/** Errors as a log writes them: JSON has nothing of them. */
function errorsIn(fields: object): object {
  const errors = Object.entries(fields).filter(([, value]) => value instanceof Error);
  return Object.fromEntries(errors.map(([key, { message, stack }]) => [key, { message, stack }]));
}

let closed: GemmaServer;
let open: GemmaServer;
beforeAll(async () => {
  lines = [];
  const ring = new KeyRing(Object.values(keys).map(({ stored }) => stored));
  [closed, open] = await Promise.all([
    tinyServer({ keys: ring, log }, { contextLength: 64 }),
    tinyServer({ log, origins: ["https://app.example"], hosts: ["api.example"] }, { contextLength: 64 }),
  ]);
});
afterAll(() => Promise.all([closed.dispose(), open.dispose()]));

const ask = (server: GemmaServer, method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  server.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: { ...(/^P/.test(method) ? { "content-type": "application/json" } : {}), ...headers },
      ...(/^P/.test(method) ? { body: "{}" } : {}),
    }),
  );

/** Other ways to write a path, some of which a server may take for the same. */
const spellings = (path: string) => [
  path,
  `${path}/`,
  `${path}//`,
  `/${path}`,
  `/x/..${path}`,
  `${path}?key=1`,
  `${path}#x`,
  path.toUpperCase(),
  path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  `/${path.slice(1).replaceAll("/", "%2f")}`,
  `${path};x=1`,
  `${path}.json`,
];

describe("keys", () => {
  const paths = [...new Set(OPERATIONS.map(({ path }) => path.replace(/:\w+/, "x"))), "/", "/nothing", "/v1/chat"];

  test("without one, every route but those of health answers 401, by any method and spelling", async () => {
    expect(paths.length).toBeGreaterThan(30);
    for (const path of paths.filter((one) => !OPEN.includes(one))) {
      for (const method of METHODS)
        expect([method, path, (await ask(closed, method, path)).status]).toEqual([method, path, 401]);
      for (const spelling of spellings(path)) {
        expect([spelling, (await ask(closed, "GET", spelling)).status]).toEqual([spelling, 401]);
        expect([spelling, (await ask(closed, "POST", spelling)).status]).toEqual([spelling, 401]);
      }
    }
    for (const path of OPEN) expect([path, (await get(closed, path)).status]).toEqual([path, 200]);
  });

  test("one that is wrong, old or elsewhere is none", async () => {
    const right = keys.inference.text;
    const wrong = [
      "",
      "x",
      right.slice(0, -1),
      `${right}x`,
      right.replace(/_.{8}_/, "_aaaaaaaa_"),
      right.toUpperCase(),
      keys.old.text,
      keys.inference.stored.hash,
      `gk_${keys.inference.stored.id}_`,
      `${right}, ${right}`,
    ];
    for (const key of wrong) expect([key, (await get(closed, "/v1/models", bearer(key))).status]).toEqual([key, 401]);
    for (const headers of [{ authorization: right }, { authorization: `Token ${right}` }, { cookie: `key=${right}` }]) {
      expect([headers, (await get(closed, "/v1/models", headers)).status]).toEqual([headers, 401]);
    }
    expect((await get(closed, `/v1/models?key=${right}&api_key=${right}`)).status).toBe(401);
    expect((await get(closed, "/v1/models", bearer(right))).status).toBe(200);
    expect((await get(closed, "/v1/models", { "x-api-key": right })).status).toBe(200);
  });

  test("each opens what it is for, however the path is written", async () => {
    const scoped = OPERATIONS.filter(({ scope }) => scope === "admin" || scope === "metrics");
    expect(scoped.map(({ path }) => path)).toEqual(["/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/metrics"]);
    for (const { method, path, scope } of scoped) {
      for (const [name, { text }] of Object.entries(keys).filter(([name]) => name !== "old")) {
        for (const spelling of spellings(path)) {
          const { status } = await ask(closed, method.toUpperCase(), spelling, bearer(text));
          if (name !== scope)
            expect([spelling, name, status]).toEqual([spelling, name, expect.toSatisfy((s) => s === 403 || s === 404)]);
          else if (spelling === path) expect([spelling, name, status]).not.toEqual([spelling, name, 403]);
        }
      }
    }
    const question = { prompt: "x", max_tokens: 1 };
    expect((await post(closed, "/v1/completions", question, { headers: bearer(keys.admin.text) })).status).toBe(403);
    expect((await get(closed, "/v1/models", bearer(keys.metrics.text))).status).toBe(403);
    expect((await get(closed, "/openapi.json", bearer(keys.metrics.text))).status).toBe(403);
  });
});

describe("hosts and origins", () => {
  test("health is told by whatever name it is asked: Kubernetes probes a pod by its address", async () => {
    for (const path of ["/healthz", "/health/live", "/ping", "/readyz", "/health/ready", "/health"]) {
      expect([path, (await get(open, path, { host: "10.1.2.3:8080" })).status]).toEqual([path, 200]);
    }
  });

  test.each([
    ["evil.example:8080", 403],
    ["localhost.evil.example", 403],
    ["0.0.0.0", 403],
    ["localhost.", 200],
    ["[::1]:8080", 200],
    ["127.0.0.1:1", 200],
    ["api.example", 200],
  ])("Host: %s is answered with %i, by every path that tells of the model", async (host, status) => {
    for (const path of ["/v1/models", "/api/tags", "/docs", "/metrics", "/nothing"]) {
      const expected = path === "/nothing" && status === 200 ? 404 : status;
      expect([path, (await get(open, path, { host })).status]).toEqual([path, expected]);
    }
    const request = { prompt: "x", max_tokens: 1 };
    expect((await post(open, "/v1/completions", request, { headers: { host } })).status).toBe(status);
  });

  test.each(["https://evil.example", "null", "http://localhost:9", "https://app.example.evil", "file://"])(
    "a page of %s cannot call, not even to be told that it cannot",
    async (origin) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const headers = { origin, host: "localhost", "access-control-request-method": "POST" };
        const response = await ask(open, method, "/v1/models", headers);
        expect([method, response.status]).toEqual([method, 403]);
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    },
  );

  test("a page that is allowed can, with the headers of OpenAI's client", async () => {
    const origin = "https://app.example";
    const asked = { origin, "access-control-request-headers": "authorization,content-type,x-stainless-lang" };
    const preflight = await ask(open, "OPTIONS", "/v1/chat/completions", asked);
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("x-stainless-lang");
    const answer = await get(open, "/v1/models", { origin });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    const refused = await post(open, "/v1/completions", {}, { headers: { origin } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, origin]);
  });

  test("forms and texts, which a browser sends without asking, are no requests", async () => {
    const body = '{"prompt":"x"}';
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
      for (const path of ["/v1/completions", "/api/generate", "/v1/responses", "/tokenize", "/v1/load_lora_adapter"]) {
        const response = await open.fetch(
          new Request(`http://localhost${path}`, { method: "POST", body, headers: { "content-type": type } }),
        );
        expect([path, type, response.status]).toEqual([path, type, 415]);
      }
    }
  });
});

describe("the log", () => {
  /** Requests of every kind that carry the canary, and the key. */
  async function everything(server: GemmaServer): Promise<void> {
    const headers = { ...bearer(keys.inference.text), "user-agent": CANARY, referer: `http://localhost/${CANARY}` };
    const model = (await (await get(server, "/v1/models", headers)).json()).data[0].id;
    const long = `${CANARY} `.repeat(40);
    const bodies: [string, unknown][] = [
      ["/v1/chat/completions", { messages: [{ role: "user", content: CANARY }], max_tokens: 2 }],
      ["/v1/chat/completions", { messages: [{ role: "user", content: CANARY }], max_tokens: 2, stream: true }],
      ["/v1/chat/completions", { messages: [{ role: CANARY, content: 5 }] }],
      ["/v1/chat/completions", { messages: [{ role: "user", content: long }] }],
      ["/v1/completions", { prompt: CANARY, max_tokens: 2, echo: true, stop: CANARY, user: CANARY }],
      ["/v1/responses", { input: CANARY, max_output_tokens: 2, metadata: { a: CANARY } }],
      ["/v1/embeddings", { input: CANARY }],
      ["/tokenize", { prompt: CANARY }],
      ["/api/chat", { model, messages: [{ role: "user", content: CANARY }], options: { num_predict: 2 } }],
      ["/api/generate", { model, prompt: CANARY, options: { num_predict: 2 } }],
      ["/api/embed", { model, input: [CANARY] }],
      ["/v1/completions", `{"prompt":"${CANARY}`],
      ["/v1/completions", { model: CANARY, prompt: "x" }],
      [`/${CANARY}`, {}],
    ];
    for (const [path, body] of bodies) await (await post(server, path, body, { headers })).text();
  }

  test("has a line a request, and of prompts, answers and keys nothing", async () => {
    lines = [];
    await everything(closed);
    expect(lines.length).toBeGreaterThan(14);
    expect(lines.join("\n")).toContain('"route":"/v1/chat/completions","status":200');
    expect(lines.join("\n")).toContain('"caller":"inference"');
    for (const line of lines) {
      expect(line).not.toContain(CANARY);
      expect(line).not.toContain(SECRET);
    }
  });

  test("has them where that was asked for, but never a key", async () => {
    const server = await tinyServer({ log, logPrompts: true }, { contextLength: 64 });
    lines = [];
    await everything(server);
    expect(lines.filter((line) => line.includes(CANARY)).length).toBeGreaterThan(5);
    expect(lines.join("\n")).not.toContain(SECRET);
    await server.dispose();
  });
});
