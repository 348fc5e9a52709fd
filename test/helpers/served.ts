import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { TINY } from "./tiny-models.js";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface ServedOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly model?: string;
}

/** `gemma serve` in a process of its own, with a tiny model on a free port. */
export class ServedProcess {
  stdout = "";
  stderr = "";
  code: number | null = null;
  private readonly ended: Promise<unknown>;

  private constructor(readonly child: ChildProcess) {
    child.stdout!.on("data", (chunk) => {
      this.stdout += chunk;
    });
    child.stderr!.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.ended = once(child, "close").then(([code]) => {
      this.code = code as number | null;
    });
  }

  static start(args: readonly string[] = [], { env = {}, model = TINY.gemma3 }: ServedOptions = {}): ServedProcess {
    const all = ["serve", "-m", model, "--backend", "reference", "--ctx", "256", "--port", "0", ...args];
    return new ServedProcess(spawn(process.execPath, [MAIN, ...all], { env: { ...process.env, ...env } }));
  }

  /** The log's lines so far; other lines on standard error are left out. */
  log(): readonly Record<string, unknown>[] {
    const lines = this.stderr.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
    return lines.map((line) => JSON.parse(line));
  }

  /** Waits until `find` finds something. @throws when the process ends before that */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const isOver = await Promise.race([
        this.ended.then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 20, false)),
      ]);
      if (isOver && find() === undefined) throw new Error(`ended with ${this.code}: ${this.stdout}${this.stderr}`);
    }
  }

  /** The address, once the port is open. */
  open(): Promise<string> {
    return this.until(() => this.log().find(({ url }) => url !== undefined)?.url as string | undefined);
  }

  /** The address, once the model is ready. */
  async ready(): Promise<string> {
    await this.until(() => (this.log().some(({ msg }) => msg === "ready") ? true : undefined));
    return this.open();
  }

  /** The exit code. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.child.kill(signal);
    await this.ended;
    return this.code;
  }
}
