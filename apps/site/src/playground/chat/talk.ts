import { append, byId, dom, fill } from "../../dom/dom.js";
import { h } from "../../dom/node.js";
import { filled, type Texts } from "../../text/texts.js";
import { setBusy } from "../../updates.js";
import { type Conversation, messagesUpTo } from "../conversation.js";
import { type Answer, type Engine, PlaygroundError } from "../engine.js";
import { failure } from "../failure.js";
import { bytesText } from "../format.js";
import type { Settings } from "../settings.js";
import { AnswerText } from "./answer-text.js";
import { Composer } from "./composer.js";
import { Scroller } from "./scroller.js";
import { Speaker } from "./speaker.js";
import { answerFrame, turnView } from "./turn-view.js";

/** The conversation on the page: sends messages, shows answers as they come, and what can be done with them. */
export class Talk {
  private readonly log = byId("log");
  private readonly scroller = new Scroller(this.log, byId<HTMLButtonElement>("to-end"));
  private readonly speaker = new Speaker(byId("spoken"));
  private readonly composer: Composer;
  private engine: Engine | null = null;
  private running: { readonly controller: AbortController; readonly done: Promise<void> } | null = null;

  constructor(
    private readonly conversation: Conversation,
    private readonly settings: Settings,
    private readonly texts: Texts,
  ) {
    this.composer = new Composer(
      (text) => this.send(text),
      () => this.running?.controller.abort(),
    );
    setBusy(() => this.running !== null);
    this.show();
  }

  /** Answers come from this model from now on; one that is being written ends. */
  async use(engine: Engine | null): Promise<void> {
    await this.stop();
    const before = this.engine;
    this.engine = engine;
    if (before !== engine) await before?.dispose();
    this.composer.setReady(engine !== null);
    this.show();
  }

  async clear(): Promise<void> {
    await this.stop();
    this.conversation.cutAt(0);
    this.show();
    this.composer.focus();
  }

  private async stop(): Promise<void> {
    this.running?.controller.abort();
    await this.running?.done;
  }

  private send(text: string): void {
    this.conversation.add({ role: "user", text });
    this.answer();
  }

  /** Turn `index` and all behind it give way to an answer to what stands before, with another text of the reader's if given. */
  private async again(index: number, text?: string): Promise<void> {
    if (this.engine === null) {
      this.fail(new PlaygroundError(this.texts.playground.chat.empty));
      return;
    }
    await this.stop();
    this.conversation.cutAt(index);
    if (text !== undefined) this.conversation.add({ role: "user", text });
    this.composer.focus();
    this.answer();
  }

  private show(): void {
    const { turns } = this.conversation;
    const views = turns.map((turn, i) =>
      turnView(turn, { resend: (text) => void this.again(i, text), regenerate: () => void this.again(i) }, this.texts),
    );
    this.log.replaceChildren(...views);
    this.showEmpty(turns.length === 0);
  }

  private showEmpty(isEmpty: boolean): void {
    const { chat } = this.texts.playground;
    const place = byId("empty");
    place.hidden = !isEmpty;
    if (!isEmpty) return;
    const isReady = this.engine !== null;
    fill(
      place,
      h("p", { class: "soft" }, isReady ? chat.emptyReady : chat.empty),
      isReady && chat.suggestions.map((text) => h("button", { type: "button", onclick: () => this.send(text) }, text)),
    );
  }

  private answer(): void {
    const { engine } = this;
    this.show();
    if (engine === null) return;
    const controller = new AbortController();
    const done = this.run(engine, controller.signal).finally(() => {
      this.running = null;
      this.composer.setRunning(false);
    });
    this.running = { controller, done };
    this.composer.setRunning(true);
  }

  private async run(engine: Engine, signal: AbortSignal): Promise<void> {
    const { chat } = this.texts.playground;
    const { turns } = this.conversation;
    const sampling = this.settings.sampling();
    const { system } = this.settings;
    const text = new AnswerText("", () => this.scroller.grown());
    const frame = answerFrame(text, engine.name);
    frame.setAttribute("aria-busy", "true");
    this.log.append(frame);
    this.scroller.toEnd();
    this.speaker.begin(chat.writing);
    const onText = (piece: string) => {
      text.push(piece);
      this.speaker.push(piece);
    };
    const turn = { role: "assistant", sampling, system, origin: engine.origin } as const;
    const keep = (answer: Answer | null) => {
      text.finish();
      // Nothing said is no turn: the next one would be asked behind an empty answer.
      if (text.value === "" && answer?.finish !== "stop") return frame.remove();
      this.conversation.add({ ...turn, text: text.value, answer });
      this.replace(frame);
    };
    try {
      const answer = await engine.answer(messagesUpTo(turns, turns.length, system), { sampling, signal, onText });
      keep(answer);
      this.speaker.end({ stop: chat.done, length: chat.length, stopped: chat.stopped }[answer.finish]);
      this.showMemory(engine);
    } catch (error) {
      keep(null);
      this.speaker.end("");
      if (signal.aborted) return; // before a word was said
      const at = this.conversation.turns.length;
      this.fail(error, () => (text.value === "" ? this.answer() : void this.again(at - 1)));
    }
  }

  /** The finished answer, with its tools, in the place of the one that was written. */
  private replace(frame: HTMLElement): void {
    const index = this.conversation.turns.length - 1;
    const actions = { resend: () => {}, regenerate: () => void this.again(index) };
    frame.replaceWith(turnView(this.conversation.turns[index]!, actions, this.texts));
    this.scroller.grown();
  }

  private fail(error: unknown, retry?: () => void): void {
    this.log.append(dom(h("li", { class: "turn" }, failure(error, this.texts, retry))));
    this.scroller.grown();
  }

  /** Not waited for: browsers measure when it suits them. */
  private showMemory(engine: Engine): void {
    const line = this.log.lastElementChild?.querySelector(".measures");
    engine
      .memoryBytes()
      .then((bytes) => {
        if (bytes === null || !line?.isConnected) return;
        append(line, ` · ${filled(this.texts.playground.measures.memory, { n: bytesText(bytes, this.texts) })}`);
      })
      .catch(() => {}); // then it is not told
  }
}
