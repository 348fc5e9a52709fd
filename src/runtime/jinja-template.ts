import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { GemmaError } from "../base/errors.js";
import { renderTemplate, type TemplateInput, type TemplateOutput } from "./template-render.js";

const DEADLINE_MS = 250;
/** Heap of the process: a conversation's text takes a few MB, and V8 ends what asks for more. */
const HEAP_FLAGS = ["--max-old-space-size=128", "--max-semi-space-size=8"];

interface Pending {
  readonly input: TemplateInput;
  resolve(text: string): void;
  reject(error: GemmaError): void;
}

/**
 * Renders chat templates of checkpoints, which are programs, in a process of their own: one at a time, each ended
 * after 250 ms. Not in a worker thread: a heap that outgrows its limit there can end the whole process.
 */
export class TemplateRenderer {
  private readonly queue: Pending[] = [];
  private child: ChildProcess | null = null;
  private isReady = false;
  private current: Pending | null = null;
  private deadline: NodeJS.Timeout | null = null;

  /** @param inProcess renders in the caller's thread, without a deadline; for tests */
  constructor(private readonly inProcess: boolean) {}

  /**
   * @throws ERR_TEMPLATE_BUDGET when it takes too long, too much memory or writes too much; ERR_TEMPLATE when the
   *   template fails
   */
  async render(template: string, variables: TemplateInput["variables"]): Promise<string> {
    const input = { template, variables };
    if (this.inProcess) return textOf(renderTemplate(input));
    return new Promise((resolve, reject) => {
      this.queue.push({ input, resolve, reject });
      this.child ??= this.start();
      this.next();
    });
  }

  /** Ends the process; renderings under way are rejected. Idempotent. */
  dispose(): void {
    const waiting = this.queue.splice(0);
    this.end(new GemmaError("ERR_DISPOSED", "the model was disposed"));
    for (const pending of waiting) pending.reject(new GemmaError("ERR_DISPOSED", "the model was disposed"));
  }

  private start(): ChildProcess {
    const child = fork(fileURLToPath(new URL("./template-process.js", import.meta.url)), [], {
      execArgv: HEAP_FLAGS,
      env: {}, // a template has no business with the environment
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    child.unref();
    child.channel?.unref();
    child.on("message", (message: "ready" | TemplateOutput) => {
      if (child !== this.child) return;
      if (message === "ready") this.isReady = true;
      else this.settle(message);
      this.next();
    });
    const onEnd = () => {
      if (child === this.child) this.end(budget("must stay small, its process ended"));
    };
    child.on("exit", onEnd);
    child.on("error", onEnd);
    return child;
  }

  /** Gives the process its next piece of work; the time counts from here. */
  private next(): void {
    if (!this.isReady || this.current) return;
    this.current = this.queue.shift() ?? null;
    if (!this.current) return;
    this.child?.send(this.current.input);
    this.deadline = setTimeout(() => {
      // This thread may have been busy itself: an answer that lies ready is taken first.
      setImmediate(() => {
        if (this.deadline) this.end(budget(`must end within ${DEADLINE_MS} ms, took longer`));
      });
    }, DEADLINE_MS);
  }

  private settle(output: TemplateOutput): void {
    const { current } = this;
    this.clear();
    try {
      current?.resolve(textOf(output));
    } catch (error) {
      current?.reject(error as GemmaError);
    }
  }

  /** Ends the process and what it was at; what waits goes on in a new one. */
  private end(error: GemmaError): void {
    const { current, child, isReady } = this;
    this.clear();
    this.child = null;
    this.isReady = false;
    child?.kill("SIGKILL");
    current?.reject(error);
    // A process that never came up would not the next time either.
    if (!isReady) for (const waiting of this.queue.splice(0)) waiting.reject(error);
    if (this.queue.length > 0) this.child = this.start();
  }

  private clear(): void {
    if (this.deadline) clearTimeout(this.deadline);
    this.deadline = null;
    this.current = null;
  }
}

function textOf(output: TemplateOutput): string {
  if ("text" in output) return output.text;
  if (output.kind === "budget") throw budget(output.failed);
  throw new GemmaError("ERR_TEMPLATE", `chat template: ${output.failed}`);
}

function budget(what: string): GemmaError {
  return new GemmaError("ERR_TEMPLATE_BUDGET", `chat template: ${what}`, {
    hint: "choose another chat style, or a checkpoint with a simpler template",
  });
}
