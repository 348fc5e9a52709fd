import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { get, loadTiny, post, tinyServer } from "../../test/helpers/server.js";
import { TINY } from "../../test/helpers/tiny-models.js";
import { GemmaError } from "../base/errors.js";
import { createServer, type GemmaServer } from "./server.js";

const hello = { messages: [{ role: "user", content: "fox?" }], max_tokens: 6, temperature: 0 };
const endless = { prompt: "fox", max_tokens: 240, temperature: 0, ignore_eos: true };

let server: GemmaServer;
beforeAll(async () => {
  server = await tinyServer({ aliases: ["gpt-4o-mini"] }, { adapters: { tuned: TINY.adapter } });
});
afterAll(() => server.dispose());

test("an adapter is a model of its own, beside the base and its aliases", async () => {
  const { data } = await (await get(server, "/v1/models")).json();
  const [base] = data;
  expect(data.map(({ id }: { id: string }) => id)).toEqual([base.id, "gpt-4o-mini", `${base.id}:tuned`]);
  const text = async (model?: string) => {
    const request = { ...endless, max_tokens: 20, ...(model ? { model } : {}) };
    const answer = await (await post(server, "/v1/completions", request)).json();
    return [answer.model, answer.choices[0].text];
  };
  const [plain, alias, tuned] = await Promise.all([text(), text("gpt-4o-mini"), text(`${base.id}:tuned`)]);
  expect([plain[0], alias[0], tuned[0]]).toEqual([base.id, "gpt-4o-mini", `${base.id}:tuned`]);
  expect(alias[1]).toBe(plain[1]);
  expect(tuned[1]).not.toBe(plain[1]);
});

test("a model is found by every name that requests may use", async () => {
  const { data } = await (await get(server, "/v1/models")).json();
  const [base, , tuned] = data.map(({ id }: { id: string }) => id);
  const found = async (name: string) => (await (await get(server, `/v1/models/${encodeURIComponent(name)}`)).json()).id;
  expect(await Promise.all([base, `${base}:latest`, "gpt-4o-mini", "tuned", tuned].map(found))).toEqual([
    base,
    base,
    "gpt-4o-mini",
    tuned,
    tuned,
  ]);
  expect((await get(server, "/v1/models/gpt-5")).status).toBe(404);
});

test("an unknown model is a 404 that lists those that are", async () => {
  const response = await post(server, "/v1/chat/completions", { ...hello, model: "gpt-5" });
  expect([response.status, (await response.json()).error]).toEqual([
    404,
    expect.objectContaining({
      code: "model_not_found",
      param: "model",
      message: expect.stringContaining("gpt-4o-mini"),
    }),
  ]);
});

test("the admin call loads and unloads adapters of one folder alone, without dropping a request", async () => {
  const root = mkdtempSync(join(tmpdir(), "gemma-adapters-"));
  cpSync(TINY.adapter, join(root, "extra"), { recursive: true });
  cpSync(TINY.adapter, join(root, "broken"), { recursive: true });
  writeFileSync(join(root, "broken", "adapter_model.safetensors"), "nothing");
  symlinkSync("/", join(root, "away"));
  const own = await tinyServer({ adapterRoot: root });
  const load = (name: string, path: string) => post(own, "/v1/load_lora_adapter", { lora_name: name, lora_path: path });
  expect((await load("extra", "extra")).status).toBe(200);
  const { data } = await (await get(own, "/v1/models")).json();
  const model = data[1].id;
  expect(model).toMatch(/:extra$/);
  const running = post(own, "/v1/completions", { ...endless, model });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await post(own, "/v1/unload_lora_adapter", { lora_name: "extra" })).status).toBe(200);
  expect((await post(own, "/v1/completions", { ...endless, model })).status).toBe(404);
  expect((await (await running).json()).usage.completion_tokens).toBe(240);
  for (const path of ["..", "../..", "/etc", "away/etc", ".", "extra/../..", "a\0b"]) {
    expect([path, (await load("x", path)).status]).toEqual([path, 403]);
  }
  for (const path of ["nothing", "extra/adapter_config.json/x", "x".repeat(300)]) {
    expect([path, (await load("x", path)).status]).toEqual([path, 404]);
  }
  expect((await load("X!", "extra")).status).toBe(400);
  const broken = await load("broken", "broken");
  expect(broken.status).toBe(400);
  expect(JSON.stringify(await broken.json())).not.toContain(root);
  expect((await (await get(own, "/v1/models")).json()).data).toHaveLength(1);
  expect((await post(server, "/v1/load_lora_adapter", { lora_name: "x", lora_path: "x" })).status).toBe(403);
  await own.dispose();
  rmSync(root, { recursive: true });
});

test("an engine that dies while it loads an adapter is a failure of the server, not of the request", async () => {
  const gemma = await loadTiny();
  const own = createServer(gemma, { adapterRoot: dirname(TINY.adapter) });
  await own.started;
  const died = new GemmaError("ERR_WORKER", "the engine's worker failed: /srv/secret.node");
  vi.spyOn(gemma, "addAdapter").mockRejectedValue(died);
  const response = await post(own, "/v1/load_lora_adapter", { lora_name: "x", lora_path: basename(TINY.adapter) });
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret");
  await own.dispose();
});
