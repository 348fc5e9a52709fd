import type { Command } from "commander";
import { ANSWER_METRICS, type AnswerMetric } from "../eval/tuning/answer-metric.js";
import type { FailOn } from "../eval/tuning/verdict.js";
import type { CliContext } from "./context.js";
import { addBackendFlags, integer, type ModelFlags, number, oneOf } from "./model-options.js";

/** Small enough for about ten minutes on two cores with Gemma 3 270M. */
const TASKS = "boolq,piqa,arc_easy,winogrande,hellaswag";

export interface TuneReportFlags extends Omit<ModelFlags, "model"> {
  readonly model?: string;
  readonly run?: string;
  readonly tuned?: string;
  readonly heldOut?: string;
  readonly metric?: AnswerMetric;
  readonly shots?: string;
  readonly template?: "gemma" | "qa" | "none";
  readonly prompts?: string;
  readonly answers: number;
  readonly maxTokens: number;
  readonly tasks: string;
  readonly data?: string;
  readonly limit: number;
  readonly text: readonly string[];
  readonly windows: number;
  readonly safety?: string;
  readonly safetyLimit: number;
  readonly showHarmful?: boolean;
  readonly out?: string;
  readonly maxItems: number;
  readonly failOnRegression?: number;
  readonly failOn: FailOn;
  readonly seed: number;
}

/** `gemma tune report`: what tuning did, to what it was for and to everything else. */
export function register(tune: Command, context: CliContext): void {
  const command = tune
    .command("report")
    .configureHelp({ showGlobalOptions: false }) // those of `tune` are not its own
    .description("measure a model before and after tuning: what got better, what got worse, with intervals and tests")
    .option("-m, --model <model>", "the model before tuning; default: the run's, else the default model")
    .option("--run <dir>", "folder of a tuning run: its adapter, config.json and metrics.jsonl")
    .option("--adapter <dir>", "PEFT LoRA adapter folder, in place of a run")
    .option("--tuned <model>", "the tuned model itself, merged or fully tuned, in place of an adapter")
    .option(
      "--held-out <file>",
      "examples that were not learned from: their loss is the target; default: what the run held out",
    )
    .option("--metric <name>", `count right answers to them, too: ${ANSWER_METRICS.join(", ")}`, oneOf(ANSWER_METRICS))
    .option("--shots <file>", "worked examples that the model before tuning gets with --metric, in plain text")
    .option("--template <name>", "gemma, qa or none; default: the run's, else as tune has it", oneOf(TEMPLATES))
    .option("--prompts <file>", "instructions, for how both answer them")
    .option("--answers <n>", "held-out questions and instructions to answer at most", integer(1, 1 << 20), 200)
    .option("--max-tokens <n>", "tokens of an answer at most", integer(1, 1 << 16), 128)
    .option("--tasks <names>", "benchmarks of the regression set, with commas between; or none", TASKS)
    .option("--data <dir>", "folder with the benchmarks' items, JSON lines; default hf: the Hugging Face hub")
    .option("--limit <n>", "items of each benchmark", integer(1, 1 << 30), 200)
    .option("--text <file>", "plain text whose perplexity is measured; may be repeated", gather, [])
    .option("--windows <n>", "windows of 1500 characters of each text", integer(1, 1 << 20), 40)
    .option(
      "--safety <names>",
      "advbench, harmbench, xstest, or none; default: advbench and xstest, as far as --data has them in safety/",
    )
    .option("--safety-limit <n>", "prompts of each safety set", integer(1, 1 << 20), 100)
    .option("--show-harmful", "put the texts of harmful requests and their answers into the report, too")
    .option("--out <dir>", "folder of the report; default: report in the run's folder")
    .option("--max-items <n>", "changed items of each line that the page shows", integer(0, 1 << 20), 50)
    .option("--fail-on-regression <points>", "exit with 1 if anything but the target falls by more", number(0, 100))
    .option("--fail-on <which>", "any fall, or only significant ones", oneOf(["any", "significant"] as const), "any")
    .option("--seed <n>", "of chosen examples", integer(0, Number.MAX_SAFE_INTEGER), 0);
  addBackendFlags(command).action(async (flags: TuneReportFlags) => {
    const { tuneReportCommand } = await import("./tune-report-run.js");
    await tuneReportCommand(flags, context);
  });
}

const TEMPLATES = ["gemma", "qa", "none"] as const;

function gather(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
