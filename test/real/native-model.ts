import { readFileSync } from "node:fs";
import { nativeBackend } from "../../src/backends/native/index.js";
import { Gemma } from "../../src/index.js";
import { realModelPath } from "./model-path.js";

const path = realModelPath();
const native = await nativeBackend.available();

/** Whether Gemma 3 270M runs here, natively; where the native backend is missing it says why. */
export const canRun = path !== undefined && native === true;
if (native !== true) console.warn(`skipped: tests with real weights on the native backend: ${native}`);

/** The first `count` of the fixture's prompts of at most 200 tokens. */
export function shortPrompts(count: number): readonly (readonly number[])[] {
  const lines = readFileSync(new URL("../fixtures/real270m/prompts.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const prompts: readonly (readonly number[])[] = lines.map((line) => JSON.parse(line).ids);
  return prompts.filter((ids) => ids.length <= 200).slice(0, count);
}

/** Models that a file opens, freed together. */
export class OpenModels {
  private readonly opened: Gemma[] = [];

  async open(threads: number, screenHead = true): Promise<Gemma> {
    const gemma = await Gemma.load(path!, { threads, contextLength: 512, screenHead, inProcess: true });
    this.opened.push(gemma);
    return gemma;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.opened.map((gemma) => gemma.dispose()));
  }
}
