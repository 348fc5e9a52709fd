import { OpenAPIHono, z } from "@hono/zod-openapi";
import { expect, test } from "vitest";
import { parseBody } from "./fields.js";
import { promptSchema, promptsOf, tokenIdsSchema } from "./prompts.js";

const schema = z.object({ prompt: promptSchema });

test.each([
  ["a", ["a"]],
  [
    ["a", ""],
    ["a", ""],
  ],
  [[1, 2], [[1, 2]]],
  [
    [[1], [2, 3]],
    [[1], [2, 3]],
  ],
])("%j", (prompt, prompts) => expect(promptsOf(parseBody(schema, { prompt }).prompt)).toEqual(prompts));

test.each([
  [5, "prompt: must be a text"],
  [undefined, "prompt: must be a text"],
  [[], "prompt: "],
  [[true], "prompt[0]: must be a text"],
  [["a", 1], "prompt[1]: must be a text"],
  [[1, "a"], "prompt[1]: must be a token id"],
  [[1, -1], "prompt[1]: must be a token id"],
  [[1, 2.5], "prompt[1]: must be a token id"],
  [[1, 2 ** 31], "prompt[1]: must be a token id"],
  [[[1], "a"], "prompt[1]: must be a list of token ids"],
  [[[1], []], "prompt[1]: must be a list of token ids"],
  [[[1], [1, null]], "prompt[1][1]: must be a token id"],
  [new Array(2049).fill("a"), "prompt: must have at most 2048 prompts"],
])("%j is refused: %s", (prompt, message) => {
  expect(() => parseBody(schema, { prompt })).toThrow(
    expect.objectContaining({ code: "ERR_BAD_REQUEST", message: expect.stringContaining(message) }),
  );
});

test.each([true, -1, [], null])("half a million of %j are refused as fast as one", (value) => {
  const prompt = new Array(500_000).fill(value);
  const start = performance.now();
  expect(() => parseBody(schema, { prompt })).toThrow("prompt");
  expect(performance.now() - start).toBeLessThan(2000);
});

test.each([true, -1, []])("half a million of %j among ids to decode are refused as fast as one", (value) => {
  const tokens = new Array(500_000).fill(value);
  const start = performance.now();
  expect(() => parseBody(z.object({ tokens: tokenIdsSchema }), { tokens })).toThrow("tokens[0]: must be a token id");
  expect(performance.now() - start).toBeLessThan(2000);
  expect(parseBody(z.object({ tokens: tokenIdsSchema }), { tokens: [] })).toEqual({ tokens: [] });
});

test("the OpenAPI document has the four forms", () => {
  const api = new OpenAPIHono();
  api.openAPIRegistry.registerPath({
    method: "post",
    path: "/",
    request: { body: { content: { "application/json": { schema } } } },
    responses: {},
  });
  const document = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  expect(JSON.stringify(document).match(/"anyOf":\[\{"type":"string"\}.*?"maxItems":2048/)).not.toBeNull();
});
