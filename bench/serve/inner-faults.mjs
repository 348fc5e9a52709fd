// Faults inside the server: an engine that dies, adapter files that are damaged while it serves, a log that cannot be written.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Gemma } from "../../dist/index.js";
import { createServer } from "../../dist/server/index.js";
import { Client } from "./lib/client.mjs";
import { parseMetrics, total } from "./lib/metrics.mjs";
import { startServer } from "./lib/process.mjs";
import { ownPrompt } from "./lib/prompts.mjs";
import { gemmaSide } from "./lib/sides.mjs";

const fixture = (path) => fileURLToPath(new URL(`../../test/fixtures/${path}`, import.meta.url));
const TINY = fixture("gguf/models/gemma3.q8_0.gguf");
const ADAPTER = fixture("tune/gemma3/adapter");
const LOAD = { backend: "native", threads: 1, contextLength: 256, maxSequences: 8 };
const BACK_MS = 20_000;
const SILENT = Object.fromEntries(["debug", "info", "warn", "error"].map((level) => [level, () => {}]));

/** run(count): one outcome a fault; what is not in `wants` is a problem. */
export const INNER_FAULTS = [
  { name: "engine dies", wants: ["500, then 200"], run: (count) => inTurn(count, engineDies) },
  { name: "adapter damaged", wants: ["refused, served on"], run: adapterDamaged },
  { name: "log on a full disk", wants: ["200"], run: logOnFullDisk, needs: "/dev/full" },
];

async function inTurn(count, run) {
  const outcomes = [];
  for (let i = 0; i < count; i++) outcomes.push(await run(i).catch((error) => error.message));
  return outcomes;
}

/** A server with a real engine in its worker; two requests are under way when the worker is ended. */
async function engineDies(index) {
  let engine;
  const server = createServer(
    async () => {
      engine = await Gemma.load(TINY, LOAD);
      return engine;
    },
    { log: SILENT },
  );
  try {
    await server.started;
    const long = { prompt: ownPrompt(index).slice(0, 40), max_tokens: 200, ignore_eos: true };
    const whole = post(server, "/v1/completions", long);
    const stream = await post(server, "/v1/completions", { ...long, stream: true });
    await sleep(index % 10);
    await engine.link.port.terminate();
    const answers = [
      (await whole).status,
      (await stream.text()).includes("ERR_WORKER") ? 500 : "stream without its error",
    ];
    if (answers.some((status) => status !== 500)) return `under way: ${answers}`;
    const meanwhile = (await server.fetch(new Request("http://localhost/readyz"))).status;
    if (meanwhile !== 503) return `readyz: ${meanwhile}`;
    for (const end = performance.now() + BACK_MS; !server.ready && performance.now() < end; ) await sleep(20);
    const { status } = await post(server, "/v1/completions", { ...long, max_tokens: 2 });
    return `500, then ${status}`;
  } finally {
    await server.dispose();
  }
}

/** Files of a loaded adapter are damaged in many ways: who uses it goes on; loading it anew is refused until it is whole. */
async function adapterDamaged(count) {
  const root = mkdtempSync(join(tmpdir(), "gemma-adapter-"));
  const server = createServer(() => Gemma.load(TINY, LOAD), { log: SILENT, adapterRoot: root });
  const weights = join(root, "own", "adapter_model.safetensors");
  const whole = readFileSync(join(ADAPTER, "adapter_model.safetensors"));
  try {
    await server.started;
    cpSync(ADAPTER, join(root, "own"), { recursive: true });
    const load = (name) => post(server, "/v1/load_lora_adapter", { lora_name: name, lora_path: "own" });
    if (!(await load("own")).ok) return ["the whole adapter must load"];
    const { id } = (await json(await server.fetch(new Request("http://localhost/v1/models")))).data.find((model) =>
      model.id.endsWith("own"),
    );
    const ask = async () => {
      const body = { model: id, prompt: "the cat", max_tokens: 8, temperature: 0, ignore_eos: true };
      return (await json(await post(server, "/v1/completions", body))).choices?.[0].text;
    };
    const before = await ask();
    return await inTurn(count, async (index) => {
      writeFileSync(weights, damaged(whole, index));
      const { status } = await load("again");
      const after = await ask();
      writeFileSync(weights, whole);
      if (status !== 400) return `a damaged adapter: ${status}`;
      return after === before ? "refused, served on" : `the text became ${JSON.stringify(after)}`;
    });
  } finally {
    await server.dispose();
    rmSync(root, { recursive: true });
  }
}

/** Cut off, or with nonsense where the header is. */
function damaged(whole, index) {
  if (index % 2 === 0) return whole.subarray(0, Math.floor((whole.length * index) / 101));
  const bytes = Buffer.from(whole);
  for (let i = 0; i < 8; i++) bytes[i] = (index * 37 + i * 101) & 255;
  return bytes;
}

async function logOnFullDisk(count) {
  const flags = ["--log-file", "/dev/full"];
  const server = await startServer(gemmaSide({ model: TINY, threads: 1, streams: 8, context: 256, flags }));
  const client = new Client(server.origin, 4);
  const body = { prompt: "the cat", max_tokens: 2 };
  try {
    const outcomes = await inTurn(count, async () => String((await client.post("/v1/completions", body)).status));
    const lost = total(parseMetrics(await client.text("/metrics")), "gemma_log_lines_dropped_total");
    return lost > 0 ? outcomes : [...outcomes, "no lost line was counted"];
  } finally {
    await client.close();
    await server.stop();
  }
}

function post(server, path, body) {
  const headers = { "content-type": "application/json" };
  return server.fetch(new Request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

const json = (response) => response.json();
