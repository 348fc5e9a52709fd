import { dom } from "../../dom/dom.js";
import { h } from "../../dom/node.js";

/** Tells those who listen what is being written: a sentence at a time, never token by token. */
export class Speaker {
  private pending = "";

  constructor(private readonly region: HTMLElement) {}

  begin(text: string): void {
    this.region.replaceChildren();
    this.pending = "";
    this.say(text);
  }

  push(text: string): void {
    this.pending += text;
    const end = Math.max(
      ...[". ", "! ", "? ", ".\n", "!\n", "?\n", "\n\n", ": "].map((mark) => this.pending.lastIndexOf(mark)),
    );
    if (end < 0) return;
    this.say(this.pending.slice(0, end + 1));
    this.pending = this.pending.slice(end + 1);
  }

  end(text: string): void {
    this.say(this.pending);
    this.pending = "";
    this.say(text);
  }

  private say(text: string): void {
    if (text.trim() !== "") this.region.append(dom(h("p", {}, text.trim())));
  }
}
