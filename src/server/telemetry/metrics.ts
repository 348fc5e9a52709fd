import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EngineStats } from "../../engine/stats.js";
import type { Generation } from "../../runtime/generation.js";
import type { Reading } from "../options/options.js";
import type { Admission } from "../requests/admission.js";
import type { Call } from "../requests/call.js";
import type { Supervisor } from "../supervisor.js";
import { COUNTED, HISTOGRAMS, type Observed, PREFIXES, READINGS } from "./metric-table.js";

/** What is counted, for Prometheus: under our names, and under those of vLLM where it has the same thing. */
export class Metrics {
  readonly registry = new Registry();
  private readonly responses: Counter<"route" | "status">;
  private readonly finished: readonly Counter<"model_name" | "finished_reason">[];
  private readonly histograms = new Map<Observed, readonly Histogram<"model_name">[]>();
  private readonly readings = new Map<string, Gauge<string> | Counter<string>>();
  private readonly more = new Map<string, () => number>();

  constructor(
    private readonly supervisor: Supervisor,
    private readonly admission: Admission,
    more: readonly Reading[] = [],
  ) {
    const registers = [this.registry];
    this.responses = new Counter({
      name: "gemma_http_responses_total",
      help: "HTTP responses.",
      labelNames: ["route", "status"],
      registers,
    });
    this.finished = ["gemma_request_success_total", "vllm:request_success_total"].map(
      (name) =>
        new Counter({
          name,
          help: "Generations that ended.",
          labelNames: ["model_name", "finished_reason"],
          registers,
        }),
    );
    for (const [key, [name, help, buckets]] of Object.entries(HISTOGRAMS)) {
      const both = PREFIXES.map(
        (prefix) =>
          new Histogram({ name: prefix + name, help, buckets: [...buckets], labelNames: ["model_name"], registers }),
      );
      this.histograms.set(key as Observed, both);
    }
    for (const [name, help, labels = ["model_name"]] of READINGS) {
      const settings = { name, help, labelNames: [...labels], registers };
      this.readings.set(name, COUNTED.test(name) ? new Counter(settings) : new Gauge(settings));
    }
    for (const { name, help, read } of more) {
      const settings = { name, help, registers };
      this.readings.set(name, COUNTED.test(name) ? new Counter(settings) : new Gauge(settings));
      this.more.set(name, read);
    }
  }

  response(route: string, status: number): void {
    this.responses.inc({ route, status: String(status) });
  }

  /** Observes a generation from its start to its end. */
  watch(generation: Generation, call: Call, model: string): void {
    const beforeSeconds = call.elapsedSeconds; // what the request waited until here
    generation.result.then(
      ({ timings, finishReason }) => {
        const { queueMs, firstTokenMs, decodeMs, generatedTokens, promptTokens } = timings;
        for (const counter of this.finished) counter.inc({ model_name: model, finished_reason: finishReason });
        this.observe("promptTokens", model, promptTokens);
        this.observe("generatedTokens", model, generatedTokens);
        this.observe("queue", model, beforeSeconds + queueMs / 1000);
        this.observe("whole", model, call.elapsedSeconds);
        if (generatedTokens === 0) return;
        this.observe("firstToken", model, beforeSeconds + firstTokenMs / 1000);
        this.observe("prefill", model, (firstTokenMs - queueMs) / 1000);
        this.observe("decode", model, decodeMs / 1000);
        if (generatedTokens > 1) this.observe("interToken", model, decodeMs / 1000 / (generatedTokens - 1));
      },
      () => {}, // counted as a response
    );
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    await this.readEngine();
    return this.registry.metrics();
  }

  private observe(what: Observed, model: string, value: number): void {
    for (const histogram of this.histograms.get(what)!) histogram.observe({ model_name: model }, Math.max(0, value));
  }

  /** Sets what the engine counts itself, or has at this moment. */
  private set(name: string, labels: Record<string, string>, value: number): void {
    const metric = this.readings.get(name)!;
    if (metric instanceof Gauge) metric.set(labels, value);
    else {
      metric.remove(labels);
      metric.inc(labels, value);
    }
  }

  /** The engine's numbers at this moment. A server whose model is away says so with `gemma_ready` 0. */
  private async readEngine(): Promise<void> {
    const { supervisor, admission } = this;
    this.set("gemma_ready", {}, Number(supervisor.state === "ready"));
    this.set("gemma_engine_crashes_total", {}, supervisor.crashes);
    this.set("gemma_process_resident_memory_bytes", {}, process.memoryUsage.rss());
    for (const [name, read] of this.more) this.set(name, {}, read());
    if (supervisor.state !== "ready") return;
    const { engine } = supervisor;
    const model = { model_name: engine.info.name };
    const stats = await engine.stats().catch(() => null); // it may end just now
    const waiting = admission.waiting + (stats?.waiting ?? 0);
    for (const prefix of PREFIXES) {
      this.set(`${prefix}num_requests_waiting`, model, waiting);
      this.set(`${prefix}num_requests_running`, model, stats?.running ?? 0);
    }
    if (stats === null) return;
    this.setStats(stats, model);
    this.setAdapters(engine.adapters);
  }

  private setStats(stats: EngineStats, model: { readonly model_name: string }): void {
    // Pages that only remembered prefixes hold can be had at any time.
    const used = stats.pages.map(({ total, free, remembered }) => (total - free - remembered) / total);
    const counters = {
      prompt_tokens_total: stats.promptTokens,
      generation_tokens_total: stats.generatedTokens,
      prefix_cache_queries: stats.promptTokens,
      prefix_cache_hits: stats.cachedTokens,
      kv_cache_usage_perc: Math.max(0, ...used),
      num_preemptions_total: stats.preemptions,
    };
    for (const [name, value] of Object.entries(counters)) {
      this.set(`gemma_${name}`, model, value);
      this.set(`vllm:${name}`, model, value);
    }
    this.set("gemma_computed_prompt_tokens_total", model, stats.computedTokens);
    this.set("gemma_engine_steps_total", model, stats.steps);
    this.set("gemma_draft_tokens_proposed_total", model, stats.proposedTokens);
    this.set("gemma_draft_tokens_accepted_total", model, stats.acceptedTokens);
    for (const [group, { total, free, remembered }] of stats.pages.entries()) {
      const labels = { ...model, group: String(group) };
      this.set("gemma_cache_pages", { ...labels, state: "total" }, total);
      this.set("gemma_cache_pages", { ...labels, state: "free" }, free);
      this.set("gemma_cache_pages", { ...labels, state: "remembered" }, remembered);
    }
    const blocks = Math.max(...stats.pages.map(({ total }) => total));
    const cache = { block_size: String(stats.pageRows), num_gpu_blocks: String(blocks) };
    this.set("vllm:cache_config_info", cache, 1);
  }

  private setAdapters(adapters: readonly string[]): void {
    const names = adapters.join(",");
    const lora = { max_lora: String(adapters.length), running_lora_adapters: names, waiting_lora_adapters: "" };
    this.readings.get("vllm:lora_requests_info")!.reset();
    this.set("vllm:lora_requests_info", lora, Date.now() / 1000);
  }
}
