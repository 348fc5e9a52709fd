import { GemmaError } from "../base/errors.js";
import { macrotask } from "../base/macrotask.js";
import type { TemplateInput, TemplateOutput } from "./template-render.js";

const DEADLINE_MS = 250;

/** Where templates run: a process or a worker that renders one input at a time and can be ended at any moment. */
export interface TemplateWorker {
  send(input: TemplateInput): void;
  end(): void;
}

export interface TemplateEvents {
  message(from: "ready" | TemplateOutput): void;
  /** It is gone, whatever ended it. */
  ended(): void;
}

export type StartTemplates = (events: TemplateEvents) => TemplateWorker;

/** In the caller's thread, without a deadline; for tests and debuggers. */
export interface RenderHere {
  render(input: TemplateInput): Promise<TemplateOutput>;
}

interface Pending {
  readonly input: TemplateInput;
  resolve(text: string): void;
  reject(error: GemmaError): void;
}

/**
 * Renders chat templates of checkpoints, which are programs, where they can be ended: one at a time, each within
 * 250 ms.
 */
export class TemplateRenderer {
  private readonly queue: Pending[] = [];
  private child: TemplateWorker | null = null;
  private isReady = false;
  private current: Pending | null = null;
  private deadline: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly where: StartTemplates | RenderHere) {}

  /**
   * @throws ERR_TEMPLATE_BUDGET when it takes too long, too much memory or writes too much; ERR_TEMPLATE when the
   *   template fails
   */
  async render(template: string, variables: TemplateInput["variables"]): Promise<string> {
    const input = { template, variables };
    const { where } = this;
    if (typeof where !== "function") return textOf(await where.render(input));
    return new Promise((resolve, reject) => {
      this.queue.push({ input, resolve, reject });
      this.child ??= this.start(where);
      this.next();
    });
  }

  /** Ends the process; renderings under way are rejected. Idempotent. */
  dispose(): void {
    const waiting = this.queue.splice(0);
    this.end(new GemmaError("ERR_DISPOSED", "the model was disposed"));
    for (const pending of waiting) pending.reject(new GemmaError("ERR_DISPOSED", "the model was disposed"));
  }

  private start(startWorker: StartTemplates): TemplateWorker {
    const child = startWorker({
      message: (from) => {
        if (child !== this.child) return;
        if (from === "ready") this.isReady = true;
        else this.settle(from);
        this.next();
      },
      ended: () => {
        if (child === this.child) this.end(budget("must stay small, its process ended"));
      },
    });
    return child;
  }

  /** Gives the process its next piece of work; the time counts from here. */
  private next(): void {
    if (!this.isReady || this.current) return;
    this.current = this.queue.shift() ?? null;
    if (!this.current) return;
    this.child?.send(this.current.input);
    this.deadline = setTimeout(() => {
      const { deadline } = this;
      // This thread may have been busy itself: an answer that lies ready is taken first.
      void macrotask().then(() => {
        if (deadline !== null && deadline === this.deadline)
          this.end(budget(`must end within ${DEADLINE_MS} ms, took longer`));
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
    child?.end();
    current?.reject(error);
    // A process that never came up would not the next time either.
    if (!isReady) for (const waiting of this.queue.splice(0)) waiting.reject(error);
    if (this.queue.length > 0 && typeof this.where === "function") this.child = this.start(this.where);
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
