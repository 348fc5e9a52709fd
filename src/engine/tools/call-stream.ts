import { readAnyCalls, readJsonCalls, ToolNames, type WrittenCall } from "./calls.js";
import { Chars, isSpace, type Reading } from "./chars.js";
import { type Fence, readFence } from "./fences.js";

export interface CallStreamOptions {
  /** What may be called. */
  readonly names: readonly string[];
  /**
   * Where calls stand. "anywhere": where a line begins, in any form that models write. "start": the answer is calls in
   * the form that the prompt asks for, or has none.
   */
  readonly at: "anywhere" | "start";
  /** Calls beyond this number are left out. */
  readonly most: number;
}

/**
 * Divides an answer under way into text and calls. Text is handed on as soon as it cannot be a call any more; of a call
 * nothing is, nor of the white space around it. Takes time in proportion to the text.
 */
export class CallStream {
  readonly calls: WrittenCall[] = [];
  private readonly chars = new Chars();
  private readonly names: ToolNames;
  private readonly scan: Reading<void>;
  private shown = "";
  private hasShown = false;

  constructor(private readonly options: CallStreamOptions) {
    this.names = new ToolNames(options.names);
    this.scan = options.at === "start" ? this.scanStart() : this.scanLines();
    this.scan.next(); // to where it waits for text
  }

  /** Takes a piece of the answer, and returns the text that is none of a call's. */
  push(piece: string): string {
    this.chars.feed(piece);
    return this.go();
  }

  /** The rest of the text, once no more comes. A call that is not complete is text. */
  end(): string {
    this.chars.end();
    return this.go();
  }

  private go(): string {
    this.scan.next();
    const text = this.shown;
    this.shown = "";
    return text;
  }

  private *scanStart(): Reading<void> {
    const { chars } = this;
    yield* chars.skipSpace();
    const calls = yield* readJsonCalls(chars, this.names);
    if (calls) this.found(calls);
    for (;;) {
      this.show();
      if ((yield* chars.peek()) === "") return;
      chars.take();
    }
  }

  private *scanLines(): Reading<void> {
    const { chars, names } = this;
    let fence: Fence = "none";
    let mayBegin = true; // a call or a fence, with the next character
    let isBehindCall = false; // with nothing but spaces and separators between
    for (;;) {
      const c = yield* chars.peek();
      if (c === "") break;
      if (isSpace(c) || (isBehindCall && (c === "," || c === ";"))) {
        chars.take();
        mayBegin ||= c === "\n";
        continue;
      }
      const before = chars.taken;
      if (mayBegin && c === "`") {
        const next: Fence = yield* readFence(chars, fence);
        if (fence === "calls" && next === "none" && isBehindCall) {
          chars.release(); // the end of a fence around calls goes with them
          fence = next;
          continue;
        }
        mayBegin = next === "calls";
        fence = next;
      }
      const calls = mayBegin && fence !== "quote" ? yield* readAnyCalls(chars, names) : undefined;
      isBehindCall = calls !== undefined;
      if (calls) {
        this.found(calls);
        continue;
      }
      // The character at which a call failed may begin another, on a line of its own.
      mayBegin = chars.taken > before && chars.isLineBlank;
      if (chars.taken === before) chars.take();
      if (fence === "calls") fence = "quote";
      this.show();
    }
    if (!isBehindCall) this.show();
  }

  private found(calls: readonly WrittenCall[]): void {
    this.chars.release();
    this.calls.push(...calls.slice(0, this.options.most - this.calls.length));
  }

  private show(): void {
    const text = this.chars.release();
    const kept = this.calls.length > 0 && !this.hasShown ? text.trimStart() : text;
    this.hasShown ||= kept !== "";
    this.shown += kept;
  }
}
