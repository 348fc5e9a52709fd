import { type Command, InvalidArgumentError } from "commander";
import { GemmaError } from "../base/errors.js";
import { parseJson } from "../format/json.js";
import type { Generation } from "../runtime/generation.js";
import { answerOptions, noteChatStyle, printStream } from "./answer.js";
import type { CliContext } from "./context.js";
import { readPrompt, tokenIds } from "./input.js";
import {
  addModelFlags,
  addSamplingFlags,
  generateOptions,
  loadGemma,
  type ModelFlags,
  type SamplingFlags,
} from "./model-options.js";
import { readSchema } from "./schema-input.js";
import { readTools, type ToolFlags } from "./tools-input.js";

interface RunFlags extends ModelFlags, SamplingFlags, ToolFlags {
  readonly chat?: boolean;
  readonly system?: string;
  readonly ids?: readonly number[];
  readonly jsonSchema?: string;
}

/** `gemma run [PROMPT]`: continues a text, or answers it with `--chat`. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("run")
    .description("continue a text; with --chat, answer it as a user's message")
    .argument("[prompt]", "the text; standard input where there is none")
    .option("--chat", "wrap the prompt in a user turn")
    .option("--system <text>", "instructions in front of the first user turn, with --chat")
    .option("--ids <json>", "a JSON array of token ids instead of a prompt, used as they are", parseIds)
    .option("--json-schema <file|json>", "the text is JSON that conforms to this schema")
    .option("--tools <file|json>", "functions that the model may call, with --chat: a JSON array")
    .option("--tool-choice <choice>", "auto (the default), none, required, or the name of the one to call");
  addSamplingFlags(addModelFlags(command)).action((prompt: string | undefined, flags: RunFlags) =>
    run(prompt, flags, context),
  );
}

async function run(argument: string | undefined, flags: RunFlags, context: CliContext): Promise<void> {
  const { output, signal } = context;
  if (flags.ids !== undefined && (argument !== undefined || flags.chat)) {
    throw new GemmaError("ERR_USAGE", "run: --ids takes the place of a prompt, and goes without --chat");
  }
  if (flags.system !== undefined && !flags.chat) {
    throw new GemmaError("ERR_USAGE", "run: --system needs --chat, which has turns", { hint: "add --chat" });
  }
  if ((flags.tools ?? flags.toolChoice) !== undefined && !flags.chat) {
    throw new GemmaError("ERR_USAGE", "run: --tools needs --chat, which has turns", { hint: "add --chat" });
  }
  const tools = await readTools(flags);
  const schema = flags.jsonSchema === undefined ? {} : { jsonSchema: readSchema(flags.jsonSchema) };
  const prompt = flags.ids === undefined ? await readPrompt(argument, signal) : { ids: flags.ids };
  const gemma = await loadGemma(flags, context);
  const options = { ...generateOptions(flags), ...schema, signal };
  let generation: Generation;
  if (flags.chat && typeof prompt === "string") {
    noteChatStyle(gemma, output, options.adapter);
    const system = flags.system === undefined ? [] : [{ role: "system", content: flags.system } as const];
    const messages = [...system, { role: "user", content: prompt } as const];
    generation = gemma.answer(messages, { ...answerOptions(gemma, options), ...tools, onNote: output.note });
  } else generation = gemma.generate(prompt, options);
  await printStream(generation, output, { trim: flags.chat ?? false });
  await gemma.dispose();
}

function parseIds(json: string): readonly number[] {
  try {
    return tokenIds(parseJson(json, "--ids"), "--ids");
  } catch {
    throw new InvalidArgumentError("must be a JSON array of token ids, e.g. [2,651]");
  }
}
