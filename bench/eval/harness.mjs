// lm-evaluation-harness as a process: a virtual environment for it, and questions and answers as lines of JSON.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pythonWith } from "../lib/python.mjs";

const FOLDER = fileURLToPath(new URL("python/", import.meta.url));

/** Path of a Python that has lm_eval: the one in GEMMA_LM_EVAL_PYTHON, or of an environment made once in the cache folder. */
export const pythonWithHarness = () => pythonWith(`${FOLDER}requirements.txt`, "lm-eval", "GEMMA_LM_EVAL_PYTHON");

/** python/speed.py with its model loaded. */
export async function startHarness(data, model, threads) {
  const stdio = ["pipe", "pipe", "pipe"];
  const child = spawn(pythonWithHarness(), [`${FOLDER}speed.py`, data, model, String(threads)], { stdio });
  let noise = "";
  child.stderr.on("data", (text) => {
    noise = (noise + text).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`speed.py ended: ${noise}`);
      if (value.startsWith("{")) return JSON.parse(value);
    }
  };
  await answer();
  return {
    /** @returns {{ seconds: number, predictions: Record<string, number> }} */
    ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return answer();
    },
    end: () => child.stdin.end(),
  };
}
