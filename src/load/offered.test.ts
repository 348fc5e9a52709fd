import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { offeredFiles } from "./offered.js";

const cached = vi.hoisted(() => ({ models: [] as object[] }));
vi.mock("./cache.js", async (original) => ({
  ...(await original<typeof import("./cache.js")>()),
  listModels: async () => cached.models,
}));

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), "gemma-offered-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("without weights, what ships with the package", async () => {
  cached.models = [];
  expect((await offeredFiles(home())).map(({ name }) => name)).toEqual(["gemma-tiny-ts"]);
});

test("beside its base, the adapter with all that says how it is asked and answers", async () => {
  const file = { name: "x.gguf", sizeBytes: 1, sha256: "0".repeat(64) };
  cached.models = [{ name: "gemma-3-270m", path: "/models/x.gguf", files: [file] }];
  const offered = await offeredFiles(home());
  expect(offered.map(({ name }) => name)).toEqual(["gemma-3-270m", "gemma-3-270m-it-ts", "gemma-tiny-ts"]);
  expect(offered[1]).toMatchObject({ base: "gemma-3-270m" });
  expect(offered[1]!.files.map(({ name }) => name)).toEqual([
    ...["adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "generation_config.json"],
  ]);
});
