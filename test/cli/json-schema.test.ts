import { describe, expect, test } from "vitest";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const flags = ["run", "Once", "--model", TINY.gemma1, "--backend", "reference", "--activations", "f32", "--seed", "1"];

describe.skipIf(!isBuilt)("run --json-schema", () => {
  test("writes JSON that conforms", async () => {
    const schema = JSON.stringify({ type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 2 });
    const { code, stdout } = await runCli([...flags, "--json-schema", schema, "--json"]);
    expect(code).toBe(0);
    const { text, finishReason } = JSON.parse(stdout);
    expect(finishReason).toBe("stop");
    expect(text).toMatch(/^\[(true|false), (true|false)\]$/);
  });

  test.each([
    ['{"type":"string","format":"date"}', "ERR_SCHEMA"],
    ["{", "ERR_INVALID_JSON"],
    ["./no/such/schema.json", "ERR_MISSING_FILE"],
  ])("%s: %s, before the model is loaded", async (schema, errorCode) => {
    const { code, stdout, stderr } = await runCli([...flags, "--json-schema", schema, "--json"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr).error.code).toBe(errorCode);
  });
});
