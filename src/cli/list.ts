import type { Command } from "commander";
import type { CliContext } from "./context.js";
import { printable } from "./output.js";
import { formatBytes } from "./progress.js";

/** `gemma list`: the models in the cache. */
export function register(program: Command, { output }: CliContext): void {
  program
    .command("list")
    .description("list the models in the cache")
    .action(async () => {
      const { gemmaHome, listModels } = await import("../load/cache.js");
      const home = gemmaHome();
      const models = await listModels(home);
      output.data({
        home,
        models: models.map(({ name, path, origin, pulledAt, sizeBytes, verified }) => {
          return { name, path, origin, pulledAt, sizeBytes, verified };
        }),
      });
      if (models.length === 0) output.line(`no models in ${home}; gemma pull fetches gemma-3-270m`);
      const nameWidth = Math.max(...models.map(({ name }) => name.length));
      for (const { name, sizeBytes, origin, verified } of models) {
        const size = formatBytes(sizeBytes).padStart(8);
        output.line(
          `${output.colors.bold(name.padEnd(nameWidth))}  ${size}  ${printable(origin)}${verified ? "" : " (no known hash)"}`,
        );
      }
    });
}
