import { z } from "@hono/zod-openapi";
import { expect, test } from "vitest";
import { fewEntries, parseBody, samplingFields } from "./fields.js";

const biases = (count: number, key = "") => ({
  logit_bias: Object.fromEntries(Array.from({ length: count }, (_, id) => [`${id}${key}`, 1])),
});

test("a record with too many entries is refused before they are looked at", () => {
  const look = () => {
    throw new Error("an entry was looked at");
  };
  const logit_bias = Object.defineProperties(
    {},
    Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, { get: look, enumerable: true }])),
  );
  expect(() => parseBody(z.object(samplingFields), { logit_bias })).toThrow(
    expect.objectContaining({
      code: "ERR_BAD_REQUEST",
      param: "logit_bias",
      message: "logit_bias: must have at most 1024 entries, got 1025",
    }),
  );
});

test("one with few is checked as its schema says", () => {
  const schema = z.object(samplingFields);
  expect(parseBody(schema, biases(1024)).logit_bias).toEqual(biases(1024).logit_bias);
  expect(() => parseBody(schema, biases(1, "x"))).toThrow("logit_bias.0x: ");
  expect(() => parseBody(schema, { logit_bias: [] })).toThrow("logit_bias: ");
  expect(parseBody(z.object({ all: fewEntries(2, z.record(z.string(), z.string())) }), { all: {} })).toEqual({
    all: {},
  });
});
