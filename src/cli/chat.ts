import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import { GemmaError } from "../base/errors.js";
import type { GenerateOptions } from "../engine/options.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { DEFAULT_CHAT_MODEL } from "../load/tuned.js";
import type { Chat } from "../runtime/chat.js";
import { answerOptions, noteChatStyle, printStream } from "./answer.js";
import type { CliContext } from "./context.js";
import { EXIT } from "./fail.js";
import {
  addModelFlags,
  addSamplingFlags,
  generateOptions,
  loadGemma,
  type ModelFlags,
  type SamplingFlags,
} from "./model-options.js";

interface ChatFlags extends ModelFlags, SamplingFlags {
  readonly system?: string;
}

/** `gemma chat`: a conversation in the terminal, or a message a line from standard input. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("chat")
    .description("talk with the model; /bye or Ctrl-D ends")
    .option("--system <text>", "instructions in front of the first message");
  addModelFlags(command, DEFAULT_CHAT_MODEL, `; with --adapter ${DEFAULT_MODEL}, what tune has by default`);
  addSamplingFlags(command).action((flags: ChatFlags) => {
    // An adapter of one's own takes the place of the model's, and was made on its base.
    const isOther = flags.adapter !== undefined && command.getOptionValueSource("model") === "default";
    return chat(isOther ? { ...flags, model: DEFAULT_MODEL } : flags, context);
  });
}

async function chat(flags: ChatFlags, context: CliContext): Promise<void> {
  const { output } = context;
  const gemma = await loadGemma(flags, context);
  const options = answerOptions(gemma, generateOptions(flags));
  noteChatStyle(gemma, output, options.adapter);
  const conversation = gemma.chat({
    onNote: output.note,
    ...(flags.system === undefined ? {} : { system: flags.system }),
  });
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: process.stdin.isTTY });
  const interrupts = watchInterrupts(lines, context);
  const prompt = () => {
    if (!process.stdin.isTTY) return;
    lines.setPrompt("> ");
    lines.prompt();
  };
  prompt();
  let isBye = false;
  try {
    for await (const line of lines) {
      const message = line.trim();
      isBye = message === "/bye";
      if (isBye) break;
      if (message !== "") await answer(conversation, message, options, context, interrupts);
      prompt();
    }
  } finally {
    lines.close(); // input that is still open would keep the process alive behind a failure
  }
  if (process.stdin.isTTY && !isBye) output.note(""); // Ctrl-D stands behind the prompt
  await gemma.dispose();
}

/** Streams the answer to one message. In a terminal Ctrl-C ends the answer, not the conversation. */
async function answer(
  conversation: Chat,
  message: string,
  options: GenerateOptions,
  { output }: CliContext,
  interrupts: Interrupts,
): Promise<void> {
  const signal = interrupts.begin();
  const generation = conversation.send(message, { ...options, signal });
  try {
    await printStream(generation, output, { trim: true });
  } catch (error) {
    // A person can try again; a script must learn of it.
    if (!process.stdin.isTTY) throw error;
    if (!signal.aborted) {
      if (!(error instanceof GemmaError)) throw error;
      output.note(`error: ${error.message}${error.hint ? ` (${error.hint})` : ""}`);
    }
  } finally {
    interrupts.end();
  }
}

interface Interrupts {
  /** A signal for the answer that begins. */
  begin(): AbortSignal;
  end(): void;
}

/** In a terminal readline takes Ctrl-C: during an answer it stops that, twice or at the prompt it quits. */
function watchInterrupts(lines: Interface, { signal, output }: CliContext): Interrupts {
  let current: AbortController | null = null;
  const interrupt = () => {
    if (!current || current.signal.aborted) {
      if (process.stdin.isTTY) output.note("");
      process.exit(EXIT.interrupted);
    }
    current.abort(new DOMException("interrupted", "AbortError"));
  };
  lines.on("SIGINT", interrupt);
  signal.addEventListener("abort", interrupt);
  return {
    begin: () => {
      current = new AbortController();
      return current.signal;
    },
    end: () => {
      current = null;
    },
  };
}
