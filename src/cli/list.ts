import { statSync } from "node:fs";
import type { Command } from "commander";
import type { CliContext } from "./context.js";
import { printable } from "./output.js";
import { formatBytes } from "./progress.js";

/** `gemma list`: the models, or data sets, in the cache. */
export function register(program: Command, { output }: CliContext): void {
  program
    .command("list")
    .description("list the models in the cache, and those of this package")
    .option("--data", "the data sets instead")
    .action(async (flags: { data?: boolean }) => {
      const { gemmaHome, listModels } = await import("../load/cache.js");
      const { SHIPPED_MODELS } = await import("../load/shipped.js");
      const { TUNED_MODELS } = await import("../load/tuned.js");
      const home = gemmaHome();
      const shelf = flags.data ? "datasets" : "models";
      const models = await listModels(home, shelf);
      const tuned = flags.data ? [] : TUNED_MODELS.filter(({ base }) => models.some(({ name }) => name === base));
      const shipped = (flags.data ? [] : SHIPPED_MODELS).map(({ name, path }) => {
        return { name, path, sizeBytes: statSync(path).size };
      });
      output.data({
        home,
        [shelf]: models.map(({ name, path, origin, pulledAt, sizeBytes, verified }) => {
          return { name, path, origin, pulledAt, sizeBytes, verified };
        }),
        ...(flags.data ? {} : { shipped, tuned: tuned.map(({ name, base, adapter }) => ({ name, base, adapter })) }),
      });
      if (models.length === 0) {
        const next = flags.data ? "gemma eval fetches what its tasks need" : "gemma pull fetches gemma-3-270m";
        output.line(`no ${flags.data ? "data sets" : "models"} in ${home}; ${next}`);
      }
      const nameWidth = Math.max(...[...models, ...shipped, ...tuned].map(({ name }) => name.length));
      const line = (name: string, size: string, what: string) =>
        output.line(`${output.colors.bold(name.padEnd(nameWidth))}  ${size.padStart(8)}  ${what}`);
      for (const { name, sizeBytes, origin, verified } of models) {
        line(name, formatBytes(sizeBytes), `${printable(origin)}${verified ? "" : " (no known hash)"}`);
      }
      for (const { name, sizeBytes } of shipped) line(name, formatBytes(sizeBytes), "ships with this package");
      for (const { name, base } of tuned) line(name, "", `${base} with an adapter of this package`);
    });
}
