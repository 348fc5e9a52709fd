import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, post, tinyServer } from "../../test/helpers/server.js";
import { TINY } from "../../test/helpers/tiny-models.js";
import { OPERATIONS } from "./operations.js";
import type { GemmaServer } from "./server.js";

interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content: Record<string, Content> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object };
}

const adapters = mkdtempSync(join(tmpdir(), "gemma-adapters-"));
cpSync(TINY.adapter, join(adapters, "my-adapter"), { recursive: true });

let server: GemmaServer;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  server = await tinyServer({ adapterRoot: adapters });
  document = (await (await get(server, "/openapi.json")).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, "document");
});
afterAll(async () => {
  await server.dispose();
  rmSync(adapters, { recursive: true });
});

/** A schema of the document, whose references are compiled with it. */
const validator = (...way: readonly string[]) => {
  const pointer = way.map((key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  return ajv.compile({ $ref: `document#/${pointer}` });
};

const described = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("the document", () => {
  test("says what it is, where, and how to send a key", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "gemma.ts" }, servers: [{ url: "./" }] });
    expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(document.components.securitySchemes).toMatchObject({ key: { type: "http", scheme: "bearer" } });
  });

  test("has every operation once, with a summary, a known tag and a name of its own", () => {
    const shown = OPERATIONS.filter(({ isHidden }) => !isHidden).map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`,
    );
    expect(described().map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(shown));
    expect(described()).toHaveLength(shown.length);
    const names = described().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { path, operation } of described()) {
      expect(operation.summary).toMatch(/^[A-Z].{3,}[^.]$/);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
      const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
      expect((operation.parameters ?? []).map(({ name }) => name)).toEqual(inPath);
      for (const parameter of operation.parameters ?? [])
        expect(parameter).toMatchObject({ in: "path", required: true });
      expect(operation.security.length > 0).toBe(!/health|ready|ping/.test(path));
    }
  });

  test("every schema is one, and every reference leads to one", () => {
    for (const name of Object.keys(document.components.schemas)) validator("components", "schemas", name);
    for (const { path, method, operation } of described()) {
      const where = ["paths", path, method];
      for (const type of Object.keys(operation.requestBody?.content ?? {})) {
        validator(...where, "requestBody", "content", type, "schema");
      }
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect([status, description]).toEqual([expect.stringMatching(/^[1-5]\d\d$/), expect.stringMatching(/\.$/)]);
        for (const type of Object.keys(content)) validator(...where, "responses", status, "content", type, "schema");
      }
    }
  });
});

test("each example is accepted, and its answer is what the document promises", async () => {
  const examples = described().filter(({ operation }) => operation.requestBody);
  expect(examples.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["/v1/chat/completions", "/v1/responses", "/api/chat", "/tokenize"]),
  );
  for (const { path, method } of examples) {
    const { example } = document.paths[path]![method]!.requestBody!.content["application/json"]!;
    expect([path, example]).toEqual([path, expect.anything()]);
    const isRequest = validator("paths", path, method, "requestBody", "content", "application/json", "schema");
    expect([path, isRequest(example), isRequest.errors]).toEqual([path, true, null]);
    const response = await post(server, path, example);
    const answer = await response.json();
    expect([path, response.status, answer]).toEqual([path, 200, expect.anything()]);
    const isAnswer = validator("paths", path, method, "responses", "200", "content", "application/json", "schema");
    expect([path, isAnswer(answer), isAnswer.errors]).toEqual([path, true, null]);
  }
});

test("what needs no body answers as the document promises", async () => {
  const { data } = await (await get(server, "/v1/models")).json();
  for (const { path, method, operation } of described().filter((one) => one.method === "get")) {
    const response = await get(server, path.replace("{model}", data[0].id));
    const type = response.headers.get("content-type")!.split(";")[0]!;
    expect([path, response.status, Object.keys(operation.responses["200"]!.content)]).toEqual([path, 200, [type]]);
    if (type !== "application/json") continue;
    const answer = await response.json();
    const isAnswer = validator("paths", path, method, "responses", "200", "content", type, "schema");
    expect([path, isAnswer(answer), isAnswer.errors]).toEqual([path, true, null]);
  }
});

test("errors are as the document promises, in the form of each API", async () => {
  for (const path of ["/v1/chat/completions", "/api/chat", "/v1/responses", "/api/generate", "/api/show"]) {
    const response = await post(server, path, { model: "nobody", messages: 5, prompt: 5, input: 5 });
    const isError = validator(
      "paths",
      path,
      "post",
      "responses",
      String(response.status),
      "content",
      "application/json",
      "schema",
    );
    expect([path, isError(await response.json()), isError.errors]).toEqual([path, true, null]);
  }
});
