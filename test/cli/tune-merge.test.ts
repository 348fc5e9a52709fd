import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const root = mkdtempSync(join(tmpdir(), "gemma-merge-"));
afterAll(() => rmSync(root, { recursive: true }));

describe.skipIf(!isBuilt)("gemma tune merge", () => {
  const merge = (out: string, ...more: string[]) =>
    runCli(["tune", "merge", "-m", TINY.gemma3, "--adapter", TINY.adapter, "--out", join(root, out), ...more]);

  test("writes a file that is a model, and does not replace it unasked", async () => {
    const { code, stdout, stderr } = await merge("m.gguf", "--dtype", "bf16", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const path = join(root, "m.gguf");
    expect(JSON.parse(stdout)).toMatchObject({ path, format: "gguf", mergedMatrices: 49 });
    const inspected = JSON.parse((await runCli(["inspect", path, "--json"])).stdout);
    expect(inspected.tensors).toContainEqual(expect.objectContaining({ name: "blk.0.attn_q.weight", dtype: "BF16" }));

    const again = await merge("m.gguf", "--json");
    expect(again.code).toBe(2);
    expect(JSON.parse(again.stderr).error).toMatchObject({
      code: "ERR_USAGE",
      hint: expect.stringContaining("--force"),
    });
    expect((await merge("m.gguf", "--force")).code).toBe(0);
  });

  test("writes a folder, whatever its name, and says how far it is", async () => {
    const { code, stdout, stderr } = await merge("folder", "--dtype", "f16");
    expect(code).toBe(0);
    expect(stdout).toMatch(/folder: safetensors folder, [\d.]+ [kM]B, 49 matrices merged\n$/);
    expect(stderr).toContain("100% of");
    expect(readdirSync(join(root, "folder")).sort()).toEqual(
      ["config.json", "model.safetensors", "tokenizer.json", "tokenizer.model", "tokenizer_config.json"].sort(),
    );
    expect(readdirSync(root).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("refuses a quantised folder and an unknown type", async () => {
    const quantised = await merge("q", "--dtype", "q8_0");
    expect([quantised.code, quantised.stderr]).toEqual([2, expect.stringContaining("GGUF")]);
    expect((await merge("q", "--dtype", "q3")).code).toBe(2);
  });
});
