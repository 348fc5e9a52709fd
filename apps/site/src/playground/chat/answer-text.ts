import { dom } from "../../dom/dom.js";
import { h } from "../../dom/node.js";
import { blockNode, blocksOf } from "../markdown.js";

/**
 * A text that grows. However fast tokens come, it is drawn once a frame, and of what stands there only the last block anew:
 * the page stays free to answer its reader.
 */
export class AnswerText {
  readonly element = dom(h("div", { class: "text" }));
  private text = "";
  private drawn: string[] = [];
  private frame = 0;

  constructor(
    text = "",
    private readonly onDrawn: () => void = () => {},
  ) {
    this.text = text;
    this.draw();
  }

  get value(): string {
    return this.text;
  }

  push(text: string): void {
    this.text += text;
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  /** Draws what is left at once. */
  finish(): void {
    cancelAnimationFrame(this.frame);
    this.draw();
  }

  private draw(): void {
    this.frame = 0;
    const blocks = blocksOf(this.text);
    const same = blocks.findIndex((block, i) => block !== this.drawn[i]);
    const from = same === -1 ? blocks.length : same;
    while (this.element.children.length > from) this.element.lastElementChild!.remove();
    this.element.append(...blocks.slice(from).map((block) => dom(blockNode(block))));
    this.drawn = blocks;
    this.onDrawn();
  }
}
