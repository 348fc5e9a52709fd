/** Our names, and those of vLLM, which dashboards and the Inference Gateway read. */
export const PREFIXES = ["gemma_", "vllm:"] as const;

/** Upper bounds in seconds: from a fast step to a long answer. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const TOKENS = [1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/** What is observed of each generation. */
export type Observed =
  | "firstToken"
  | "interToken"
  | "whole"
  | "queue"
  | "prefill"
  | "decode"
  | "promptTokens"
  | "generatedTokens";

type Row = readonly [name: string, help: string, buckets: readonly number[]];

/** Each histogram, by its name behind a prefix. */
export const HISTOGRAMS: Readonly<Record<Observed, Row>> = {
  firstToken: ["time_to_first_token_seconds", "From the request to its first token.", SECONDS],
  interToken: ["inter_token_latency_seconds", "Between two tokens of a generation, on average.", SECONDS],
  whole: ["e2e_request_latency_seconds", "From the request to its last token.", SECONDS],
  queue: ["request_queue_time_seconds", "From the request to the first step that computes it.", SECONDS],
  prefill: ["request_prefill_time_seconds", "From the first step of a request to its first token.", SECONDS],
  decode: ["request_decode_time_seconds", "From the first token to the last.", SECONDS],
  promptTokens: ["request_prompt_tokens", "Tokens of a prompt.", TOKENS],
  generatedTokens: ["request_generation_tokens", "Tokens of a generation.", TOKENS],
};

const SHARED: readonly (readonly [string, string])[] = [
  ["num_requests_waiting", "Requests that wait for a place or for the engine."],
  ["num_requests_running", "Sequences that the engine computes."],
  ["kv_cache_usage_perc", "Share of the cache that requests hold, 0 to 1."],
  ["prompt_tokens_total", "Tokens of prompts."],
  ["generation_tokens_total", "Generated tokens."],
  ["prefix_cache_queries", "Tokens of prompts that were looked up in the prefix cache."],
  ["prefix_cache_hits", "Tokens of prompts that came from the prefix cache."],
  ["num_preemptions_total", "Sequences set back because pages ran out."],
];

/** Names of what only grows. */
export const COUNTED = /_total$|prefix_cache_(queries|hits)$/;

/** What is read from the engine whenever somebody asks. */
export const READINGS: readonly (readonly [name: string, help: string, labelNames?: readonly string[]])[] = [
  ...PREFIXES.flatMap((prefix) => SHARED.map(([name, help]) => [prefix + name, help] as const)),
  ["gemma_ready", "1 while the model is loaded.", []],
  ["gemma_engine_crashes_total", "Engines that ended unexpectedly.", []],
  ["gemma_process_resident_memory_bytes", "Memory of the process.", []],
  ["gemma_computed_prompt_tokens_total", "Rows of prompts computed, those computed again included."],
  ["gemma_engine_steps_total", "Steps of the engine."],
  ["gemma_draft_tokens_proposed_total", "Guessed tokens that were computed."],
  ["gemma_draft_tokens_accepted_total", "Guessed tokens that were right."],
  ["gemma_cache_pages", "Pages of the cache, by group and state.", ["model_name", "group", "state"]],
  ["vllm:cache_config_info", "Layout of the cache, in labels.", ["block_size", "num_gpu_blocks"]],
  [
    "vllm:lora_requests_info",
    "Loaded adapters, in labels; the value is the time in seconds.",
    ["max_lora", "running_lora_adapters", "waiting_lora_adapters"],
  ],
];
