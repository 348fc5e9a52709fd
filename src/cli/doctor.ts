import { existsSync } from "node:fs";
import { freemem } from "node:os";
import type { Command } from "commander";
import { GemmaError } from "../base/errors.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { ON_REQUEST } from "../runtime/lazy-backends.js";
import { lacking } from "../sandbox/layers.js";
import type { CliContext } from "./context.js";
import { type Cpu, describeCpu, findCompiler, freeBytes } from "./machine.js";
import { printable } from "./output.js";
import { formatBytes } from "./progress.js";

/** `gemma doctor`: which backend this machine gets and why, and what else decides whether a model runs here. */
export function register(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("say which backend this machine gets and why, and what else matters here")
    .action(() => doctor(context));
}

async function doctor({ output }: CliContext): Promise<void> {
  const report = await examine(process.env);
  output.data(report);
  print(report, output);
  if (!report.usable) {
    const reason = report.backends.find(({ name }) => name === "native")?.reason;
    throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `doctor: a usable backend must exist, got none: ${reason}`, {
      hint: report.compiler ? "npm run build:native in a clone" : "install a C++ compiler (g++ or clang++)",
    });
  }
}

async function examine(env: NodeJS.ProcessEnv) {
  const [{ memoryLimit }, { layers }, model] = await Promise.all([
    import("../runtime/memory-limit.js"),
    import("../sandbox/layers.js"),
    cachedModel(),
  ]);
  const backends = await examineBackends();
  const cpu = describeCpu();
  // Those that run only where they are asked for are no answer to "can I use this?".
  const chosen = backends.find(({ name, available }) => available && !ON_REQUEST.includes(name));
  return {
    usable: chosen !== undefined,
    backend: chosen?.name ?? null,
    backends,
    threads: chosen?.threads ?? null,
    threadsReason: whyThreads(cpu),
    cpu,
    memory: { limitBytes: memoryLimit(), freeBytes: freeMemory() },
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    compiler: findCompiler(env),
    cache: { ...model, freeBytes: freeBytes(model.home) },
    network: examineNetwork(env),
    sandbox: await layers(),
  };
}

type Report = Awaited<ReturnType<typeof examine>>;

async function examineBackends() {
  const [{ BACKENDS }, { nativeIsas }, { wasmIsas }] = await Promise.all([
    import("../runtime/backends.js"),
    import("../backends/native/index.js"),
    import("../backends/wasm/index.js"),
  ]);
  return Promise.all(
    BACKENDS.map(async ({ name, available, create }) => {
      const reason = await available();
      if (reason !== true) return { name, available: false, reason, isa: null, isas: [], threads: null };
      const backend = await create({});
      const { isa, threads } = backend.info();
      backend.dispose();
      const isas = name === "native" ? nativeIsas() : name === "wasm" ? wasmIsas() : [isa];
      return { name, available: true, reason: null, isa, isas, threads };
    }),
  );
}

async function cachedModel() {
  const { findModel, gemmaHome } = await import("../load/cache.js");
  const home = gemmaHome();
  try {
    const model = await findModel(home, DEFAULT_MODEL);
    return { home, defaultModel: model?.path ?? null, problem: null };
  } catch (error) {
    if (!(error instanceof GemmaError)) throw error;
    return { home, defaultModel: null, problem: error.message };
  }
}

function whyThreads({ logical, allowed, allowedCores, quota }: Cpu): string {
  const parts = [`${logical} logical CPUs`];
  if (allowed < logical) parts.push(`${allowed} allowed by the affinity mask`);
  if (allowedCores !== null) parts.push(`on ${allowedCores} physical cores, one thread each`);
  if (quota !== null) parts.push(`a control group grants ${quota.toFixed(1)} CPUs`);
  return parts.join(", ");
}

/** Variables that change where downloads go, and who is trusted. */
const PROXIES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"];
const CERTIFICATES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
const TOKENS = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "KAGGLE_KEY"];

function examineNetwork(env: NodeJS.ProcessEnv) {
  const isOn = (name: string) => /^(1|true|yes|on)$/i.test(env[name] ?? "");
  return {
    offline: isOn("GEMMA_OFFLINE") || isOn("HF_HUB_OFFLINE"),
    proxies: PROXIES.filter((name) => env[name]).map((name) => ({ name, value: masked(env[name]!) })),
    certificates: CERTIFICATES.filter((name) => env[name]).map((name) => {
      return { name, path: env[name]!, exists: existsSync(env[name]!) };
    }),
    tokens: TOKENS.filter((name) => env[name]),
  };
}

/** Bytes: what the machine has free, or less where a control group leaves less. */
function freeMemory(): number {
  return Math.min(freemem(), process.availableMemory());
}

/** An address without its user name and password. */
export function masked(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, "$1***@");
}

function print(report: Report, output: CliContext["output"]): void {
  const { bold, green, red } = output.colors;
  const row = (name: string, text: string) => output.line(`${bold(name.padEnd(12))}${printable(text)}`);
  const { cpu, memory, cache, network } = report;
  for (const { name, available, reason, isa, isas } of report.backends) {
    const more = isas.length > 1 ? `; also runs ${isas.filter((other) => other !== isa).join(", ")}` : "";
    const slow = name === "reference" ? ", exact and slow" : "";
    const when = ON_REQUEST.includes(name) ? `; only with --backend ${name}` : "";
    const note = `yes, with ${isa}${more}${slow}${when}`;
    output.line(`${bold(name.padEnd(12))}${available ? green(note) : red(printable(reason ?? ""))}`);
  }
  row("threads", `${report.threads ?? "-"}: ${report.threadsReason}`);
  row("cpu", `${cpu.model}${cpu.features ? `; ${cpu.features.join(" ")}` : ""}`);
  row("memory", `${formatBytes(memory.limitBytes)}, ${formatBytes(memory.freeBytes)} of it free`);
  row("node", `${report.node} on ${report.platform}`);
  row("compiler", report.compiler ?? "none found; only a build of the native backend needs one");
  row("cache", `${cache.home}${cache.freeBytes === null ? "" : `, ${formatBytes(cache.freeBytes)} free`}`);
  row("model", cache.problem ?? cache.defaultModel ?? `${DEFAULT_MODEL} is not here yet; gemma pull fetches it`);
  const holding = report.sandbox.filter(({ holds }) => holds).length;
  const probed = report.sandbox.filter(({ shownBy }) => shownBy === "probe").length;
  row(
    "sandbox",
    `${holding} of ${report.sandbox.length} layers hold; ${probed} were tried just now, the others hold by design`,
  );
  for (const wall of lacking(report.sandbox)) row("", wall);
  row("network", network.offline ? "offline mode: only what is in the cache" : "used to fetch models");
  for (const { name, value } of network.proxies) row("", `${name}=${value}`);
  for (const { name, path, exists } of network.certificates)
    row("", `${name}=${path}${exists ? "" : " (no such file)"}`);
  for (const name of network.tokens) row("", `${name} is set`);
}
