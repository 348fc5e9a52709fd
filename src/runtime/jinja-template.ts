import { Worker } from "node:worker_threads";
import { GemmaError } from "../base/errors.js";
import { renderTemplate, type TemplateInput, type TemplateOutput } from "./template-render.js";

const DEADLINE_MS = 250;
/** Heap of the worker: a conversation's text, never more than a few MB. */
const RESOURCES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };

interface Pending {
  readonly input: TemplateInput;
  resolve(text: string): void;
  reject(error: GemmaError): void;
}

/**
 * Renders chat templates of checkpoints, which are programs, in a worker of their own: one at a time, each ended
 * after 250 ms.
 */
export class TemplateRenderer {
  private readonly queue: Pending[] = [];
  private worker: Worker | null = null;
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
      this.worker ??= this.start();
      this.next();
    });
  }

  /** Ends the worker; renderings under way are rejected. Idempotent. */
  dispose(): void {
    const waiting = this.queue.splice(0);
    this.end(new GemmaError("ERR_DISPOSED", "the model was disposed"));
    for (const pending of waiting) pending.reject(new GemmaError("ERR_DISPOSED", "the model was disposed"));
  }

  private start(): Worker {
    const worker = new Worker(new URL("./template-worker.js", import.meta.url), {
      name: "gemma-template",
      resourceLimits: RESOURCES,
    });
    worker.unref();
    worker.on("message", (message: "ready" | TemplateOutput) => {
      if (worker !== this.worker) return;
      if (message === "ready") this.isReady = true;
      else this.settle(message);
      this.next();
    });
    worker.on("error", (error) => {
      if (worker === this.worker) this.end(budget(`must stay small, got: ${error.message}`));
    });
    return worker;
  }

  /** Gives the worker its next piece of work; the time counts from here. */
  private next(): void {
    if (!this.isReady || this.current) return;
    this.current = this.queue.shift() ?? null;
    if (!this.current) return;
    this.worker?.postMessage(this.current.input);
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

  /** Ends the worker and what it was at; what waits goes on in a new one. */
  private end(error: GemmaError): void {
    const { current, worker } = this;
    this.clear();
    this.worker = null;
    this.isReady = false;
    void worker?.terminate();
    current?.reject(error);
    if (this.queue.length > 0) this.worker = this.start();
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
