import type { LoadProgress } from "gemma-ts/web";
import { dom } from "../../dom/dom.js";
import { h } from "../../dom/node.js";
import { filled, type Texts } from "../../text/texts.js";
import { bytesText, secondsText } from "../format.js";

/** A load under way: its bar, what it is doing, and a way out. */
export class ProgressView {
  private readonly bar = dom<HTMLProgressElement>(h("progress", { max: 1 }));
  private readonly text = dom(h("p", { class: "soft", role: "status" }));
  private readonly notes = dom(h("p", { class: "soft note-line" }));
  readonly element: HTMLElement;
  private phase = "";

  constructor(
    private readonly texts: Texts,
    name: string,
    cancel: () => void,
  ) {
    const { model } = texts.playground;
    this.bar.setAttribute("aria-label", `${model.phases.weights}: ${name}`);
    this.element = dom(h("div", { class: "progress" }, h("strong", {}, name)));
    this.element.append(this.bar, this.text, this.notes);
    this.element.append(dom(h("button", { type: "button", class: "small", onclick: cancel }, model.cancel)));
    this.text.textContent = `${model.phases.weights} …`;
  }

  show({ phase, done, total, remainingSeconds }: LoadProgress): void {
    const { model } = this.texts.playground;
    const name = model.phases[phase];
    if (total > 0) this.bar.value = done / total;
    else this.bar.removeAttribute("value");
    const bytes =
      total > 0 ? `${bytesText(done, this.texts)} / ${bytesText(total, this.texts)}` : bytesText(done, this.texts);
    const left =
      remainingSeconds === undefined
        ? ""
        : `, ${filled(model.left, { time: secondsText(remainingSeconds, this.texts) })}`;
    // Numbers that change every moment are not read out each time, a new phase is.
    this.text.setAttribute("aria-live", phase === this.phase ? "off" : "polite");
    this.phase = phase;
    this.text.textContent = `${name}: ${bytes}${left}`;
  }

  note(line: string): void {
    this.notes.textContent = line;
  }
}
