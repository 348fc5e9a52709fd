import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GemmaServer } from "../../src/server/server.js";
import fc, { SEED } from "../fast-check.js";
import { get, post, tinyServer } from "../helpers/server.js";

// Whatever a body holds, the answer is that it is wrong, or an answer: never a failure of the server.

const RUNS = Number(process.env.GEMMA_FUZZ_RUNS ?? 12); // for each operation
const TIMEOUT_MS = 60_000 + 3000 * RUNS;

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

type Path = readonly (string | number)[];
type Body = Readonly<Record<string, unknown>>;

interface Target {
  readonly path: string;
  readonly body: Body;
  readonly schema: Schema;
}

let server: GemmaServer;
let schemas: Readonly<Record<string, Schema>>;
let targets: readonly Target[];
beforeAll(async () => {
  server = await tinyServer({ limits: { maxTokens: 4 } }, { contextLength: 64 });
  const document = await (await get(server, "/openapi.json")).json();
  schemas = document.components.schemas;
  // biome-ignore lint/suspicious/noExplicitAny: a document of the shape that its own test checks
  targets = Object.entries<any>(document.paths).flatMap(([path, { post: operation }]) => {
    const content = operation?.requestBody?.content["application/json"];
    return content ? [{ path, body: shortened(content.example), schema: content.schema }] : [];
  });
});
afterAll(() => server.dispose());

/** Asks for two tokens: the test is about bodies. */
function shortened(example: Body): Body {
  const limits = ["max_completion_tokens", "max_tokens", "max_output_tokens"].filter((name) => name in example);
  const limited = Object.fromEntries(limits.map((name) => [name, 2]));
  return { ...example, ...limited, ...("options" in example ? { options: { num_predict: 2 } } : {}) };
}

/** Every place of a number. */
function numbersIn(schema: Schema, at: Path = []): Path[] {
  if (schema.$ref) return numbersIn(schemas[schema.$ref.split("/").at(-1)!]!, at);
  const own = [schema.type].flat().some((type) => type === "number" || type === "integer") ? [at] : [];
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [
    ...own,
    ...inner.flatMap((one) => numbersIn(one, at)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => numbersIn(one, [...at, key])),
    ...(schema.items ? numbersIn(schema.items, [...at, 0]) : []),
    ...(typeof schema.additionalProperties === "object" ? numbersIn(schema.additionalProperties, [...at, "7"]) : []),
  ];
}

/** The value with another one at a place; what leads there is made where it is missing. */
function withAt(value: unknown, [key, ...rest]: Path, leaf: unknown): unknown {
  if (key === undefined) return leaf;
  if (typeof key === "number") return [withAt((value as unknown[] | undefined)?.[key], rest, leaf)];
  const object = typeof value === "object" && value !== null ? (value as Body) : {};
  return { ...object, [key]: withAt(object[key], rest, leaf) };
}

async function statusOf(path: string, body: string): Promise<number> {
  const response = await post(server, path, body);
  const text = await response.text();
  if (response.headers.get("content-type")?.includes("application/json")) JSON.parse(text);
  return response.status;
}

async function inBatches<T>(work: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < work.length; i += 8) await Promise.all(work.slice(i, i + 8).map(run));
}

describe("numbers", () => {
  const VALUES = ["-1", "0", "NaN", "1e9", "9007199254740992", '"1"', "null", "1.5", "1e999"];

  test("every numeric field of every operation: 200 or 400, whatever it holds", { timeout: TIMEOUT_MS }, async () => {
    const places = targets.flatMap((target) => {
      const found = new Map(numbersIn(target.schema).map((at) => [at.join("."), at]));
      return [...found.values()].map((at) => ({ ...target, at }));
    });
    expect(places.map(({ path, at }) => `${path} ${at.join(".")}`)).toEqual(
      expect.arrayContaining([
        ...["/v1/chat/completions n", "/v1/chat/completions logit_bias.7", "/v1/completions prompt.0"],
        ...["/v1/responses top_logprobs", "/v1/embeddings dimensions", "/detokenize tokens.0"],
        ...["/api/chat options.num_predict", "/api/embed dimensions", "/api/generate keep_alive"],
      ]),
    );
    const requests = places.flatMap((place) => VALUES.map((value) => ({ ...place, value })));
    await inBatches(requests, async ({ path, body, at, value }) => {
      const json = JSON.stringify(withAt(body, at, "\u0001")).replaceAll('"\\u0001"', value);
      const status = await statusOf(path, json);
      if (status !== 200 && status !== 400) throw new Error(`${path}: status ${status} for ${json}`);
      if (value === "NaN" || value === "1e999") expect([path, at, value, status]).toEqual([path, at, value, 400]);
    });
  });
});

describe(`random bodies (seed ${SEED})`, () => {
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.string({ unit: "binary", maxLength: 50 }),
    fc.constantFrom("", "\0", "\ud800", "﷽".repeat(300), "<start_of_turn>", "__proto__"),
  );

  const holds = async (path: string, body: unknown) => {
    const status = await statusOf(path, JSON.stringify(body));
    if (status >= 500) throw new Error(`${path}: status ${status}`);
  };

  test("any JSON, and any field of a good body replaced by any JSON", { timeout: TIMEOUT_MS }, async () => {
    for (const { path, body, schema } of targets) {
      const known = Object.keys((schema.$ref ? schemas[schema.$ref.split("/").at(-1)!]! : schema).properties ?? {});
      const changed = fc
        .array(fc.tuple(fc.constantFrom(...known, "__proto__", "constructor"), junk), { minLength: 1, maxLength: 3 })
        .map((fields) => ({ ...body, ...Object.fromEntries(fields) }));
      await fc.assert(
        fc.asyncProperty(fc.oneof({ weight: 1, arbitrary: junk }, { weight: 4, arbitrary: changed }), (any) =>
          holds(path, any),
        ),
        { numRuns: RUNS },
      );
    }
  });

  const text = fc.string({ maxLength: 8 });
  const turn = fc.oneof(
    fc.record({ role: fc.constantFrom("system", "assistant", "user"), content: text }).map((message) => [message]),
    fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })).map(([calls, results]) => [
      {
        role: "assistant",
        content: "",
        tool_calls: Array.from({ length: calls }, (_, i) => ({
          id: `${i}`,
          function: { name: "f", arguments: "{}" },
        })),
      },
      ...Array.from({ length: results }, (_, i) => ({ role: "tool", tool_call_id: `${i}`, content: "1" })),
    ]),
  );

  const { schema: anySchema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.record(
      {
        type: fc.oneof(
          fc.constantFrom("object", "array", "string", "number", "null", "nothing"),
          fc.constant(["string", "null"]),
        ),
        properties: fc.dictionary(fc.constantFrom("a", "__proto__", ""), tie("schema"), { maxKeys: 2 }),
        required: fc.array(fc.constantFrom("a", "z"), { maxLength: 2 }),
        items: tie("schema"),
        anyOf: fc.array(tie("schema"), { maxLength: 2 }),
        $ref: fc.constantFrom("#", "#/$defs/x", "#/properties/a", "http://localhost/x"),
        enum: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }),
        pattern: fc.constantFrom("(a*)*b", "(", "^x{1,1000}$"),
        minItems: fc.constantFrom(-1, 1e9, 2),
        multipleOf: fc.constantFrom(0, 3),
      },
      { requiredKeys: [] },
    ),
  }));

  test("good parts in any order: conversations, schemas and tools", { timeout: TIMEOUT_MS }, async () => {
    const asks = (body: object) => holds("/v1/chat/completions", { max_tokens: 2, ...body });
    const conversations = fc.asyncProperty(fc.array(turn, { maxLength: 3 }), async (turns) => {
      const messages = [...turns.flat(), { role: "user", content: "x" }];
      await asks({ messages });
      await holds("/api/chat", { ...targets.find(({ path }) => path === "/api/chat")!.body, messages });
    });
    const formats = fc.asyncProperty(anySchema, async (schema) => {
      await asks({ messages, response_format: { type: "json_schema", json_schema: { name: "x", schema } } });
    });
    const choices = fc.constantFrom("auto", "none", "required", { type: "function", function: { name: "g" } });
    const tools = fc.asyncProperty(anySchema, choices, async (parameters, tool_choice) => {
      const tool = { type: "function", function: { name: "f", parameters, strict: true } };
      await asks({ messages, tools: [tool], tool_choice });
    });
    const messages = [{ role: "user", content: "x" }];
    const runs = { numRuns: RUNS };
    await fc.assert(conversations, runs);
    await fc.assert(formats, runs);
    await fc.assert(tools, runs);
  });

  test("any bytes", { timeout: TIMEOUT_MS }, async () => {
    for (const { path, body } of targets) {
      const text = JSON.stringify(body);
      const cut = fc
        .tuple(fc.nat(text.length), fc.string({ maxLength: 4 }))
        .map(([at, more]) => text.slice(0, at) + more);
      await fc.assert(
        fc.asyncProperty(fc.oneof(cut, fc.string({ unit: "binary" })), async (any) => {
          expect(await statusOf(path, any)).toBeLessThan(500);
        }),
        { numRuns: RUNS },
      );
    }
  });
});

describe("JSON that attacks", () => {
  test("keys that objects inherit change no object", async () => {
    for (const { path, body } of targets) {
      const fields = JSON.stringify(body).slice(1);
      for (const evil of [
        '"__proto__":{"x":1}',
        '"constructor":{"prototype":{"x":1}}',
        '"options":{"__proto__":{"x":1}}',
      ]) {
        expect(await statusOf(path, `{${evil},${fields}`)).toBeLessThan(500);
      }
      expect([path, ({} as Body).x]).toEqual([path, undefined]);
    }
  });

  test("a hundred thousand brackets, alone and inside a body, are a bad request, at once", async () => {
    const start = performance.now();
    for (const { path, body } of targets) {
      const deep = "[".repeat(100_000);
      expect(await statusOf(path, deep)).toBe(400);
      expect(await statusOf(path, `${JSON.stringify(body).slice(0, -1)},"stop":${deep}`)).toBe(400);
      expect(await statusOf(path, '{"a":'.repeat(100_000))).toBe(400);
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("a text of megabytes is refused by its size, one of a million letters by the context, soon", async () => {
    const start = performance.now();
    const prompt = "a".repeat(1_000_000);
    const { path } = targets.find((target) => target.path === "/v1/completions")!;
    expect(await statusOf(path, JSON.stringify({ prompt }))).toBe(400);
    expect(await statusOf(path, JSON.stringify({ prompt: prompt.repeat(3) }))).toBe(413);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
