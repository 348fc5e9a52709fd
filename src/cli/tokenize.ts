import type { Command } from "commander";
import { getString } from "../format/json-read.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import type { CliContext } from "./context.js";
import { jsonLines, readPrompt } from "./input.js";
import { withPullProgress } from "./pull-progress.js";

/** `gemma tokenize [TEXT]`: the token ids of a text, without BOS. With `--json`: lines `{"text"}` in, `{"ids"}` out. */
export function register(program: Command, context: CliContext): void {
  program
    .command("tokenize")
    .description("token ids of a text, without BOS; with --json, JSON lines on standard input")
    .argument("[text]", "the text; standard input where there is none")
    .option("-m, --model <model>", "name, source or path of the model, or a tokenizer file", DEFAULT_MODEL)
    .option("--specials", "control tokens written in the text become their ids")
    .action((text: string | undefined, flags: { model: string; specials?: boolean }) =>
      tokenize(text, flags.model, flags.specials ?? false, context),
    );
}

async function tokenize(text: string | undefined, model: string, specials: boolean, context: CliContext) {
  const [{ resolveModel }, { openTokenizer }] = await Promise.all([
    import("../load/pull.js"),
    import("../load/open-tokenizer.js"),
  ]);
  const { path } = await withPullProgress(context, (options) => resolveModel(model, options));
  const tokenizer = openTokenizer(path);
  if (context.output.json && text === undefined) {
    for await (const { line, object } of jsonLines(context.signal)) {
      const ids = tokenizer.encode(getString(object, "text", `standard input, line ${line}`), { specials });
      context.output.data({ ids: [...ids] });
    }
    return;
  }
  const ids = [...tokenizer.encode(await readPrompt(text, context.signal), { specials })];
  for (const id of ids) context.output.line(`${String(id).padStart(7)}  ${JSON.stringify(tokenizer.tokenText(id))}`);
  context.output.data({ ids });
}
