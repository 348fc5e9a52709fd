import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const flags = ["run", "Once", "-m", TINY.gemma1, "--backend", "reference", "--activations", "f32", "--seed", "1"];
const f = { name: "f", parameters: { properties: { x: { enum: [1, 2] } }, required: ["x"] } };
const odd = { name: "odd", strict: true, parameters: { properties: { x: { not: {} } } } };

describe.skipIf(!isBuilt)("run --tools", () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-tools-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const chat = [...flags, "--chat", "--tools"];

  test("prints what is called, in OpenAI's form of tools as well", async () => {
    const file = join(folder, "tools.json");
    writeFileSync(file, JSON.stringify([{ type: "function", function: f }]));
    const [plain, json] = await Promise.all([
      runCli([...chat, JSON.stringify([f]), "--tool-choice", "f"]),
      runCli([...chat, file, "--tool-choice", "f", "--json"]),
    ]);
    expect(plain.stdout).toMatch(/^f \{"x":[12]\}\n$/);
    const { text, finishReason, toolCalls } = JSON.parse(json.stdout);
    expect({ text, finishReason }).toEqual({ text: "", finishReason: "tool-calls" });
    expect(toolCalls).toEqual([
      { id: expect.stringMatching(/^call_/), name: "f", arguments: { x: expect.any(Number) } },
    ]);
    expect(plain.stdout).toBe(`f ${JSON.stringify(toolCalls[0].arguments)}\n`);
  });

  test.each<[args: readonly string[], code: number, errorCode: string, says: string]>([
    [[...flags, "--tools", "[]"], 2, "ERR_USAGE", "run: --tools needs --chat, which has turns"],
    [[...flags, "--chat", "--tool-choice", "f"], 2, "ERR_USAGE", "run: --tool-choice needs --tools"],
    [[...chat, "{}"], 2, "ERR_USAGE", "tools: must be an array, got an object"],
    [[...chat, '["f"]'], 2, "ERR_USAGE", 'tools[0]: must be an object, got "f"'],
    [
      [...chat, JSON.stringify([f]), "--tool-choice", "g"],
      2,
      "ERR_USAGE",
      'toolChoice: must be the name of one of the tools, got "g"',
    ],
    [[...chat, JSON.stringify([odd])], 1, "ERR_SCHEMA", "tools[0].parameters: #/properties/x/not is not supported"],
    [[...chat, "[1"], 1, "ERR_INVALID_JSON", "--tools: must be JSON"],
    [[...chat, "./no/such/tools.json"], 1, "ERR_MISSING_FILE", "./no/such/tools.json: no such file"],
  ])("%j: exit %i, before the model is loaded", async (args, code, errorCode, says) => {
    const { stdout, stderr, ...exit } = await runCli([...args, "--json"]);
    expect([exit.code, stdout]).toEqual([code, ""]);
    const { error } = JSON.parse(stderr);
    expect(error).toMatchObject({ code: errorCode, message: expect.stringContaining(says) });
  });
});
