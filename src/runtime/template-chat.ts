import { GemmaError } from "../base/errors.js";
import type { PlainMessage } from "../engine/chat.js";
import { control, type Segment, text } from "../tokenizer/prompt.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { TemplateRenderer } from "./jinja-template.js";

/** The longest control token that is looked for. */
const MAX_NAME = 64;

/** Marks that stand for contents while the template runs; it can trim the spaces around, and must keep the rest. */
const OPEN = "\ue000";
const CLOSE = "\ue001";
const SPACE = "\u2003";
const MARK = new RegExp(`(${SPACE}?)${OPEN}(\\d+)${CLOSE}(${SPACE}?)`, "g");

/**
 * A conversation in the turns of a checkpoint's own chat template.
 *
 * The template never sees what the messages say: it gets marks, and contents are put in their place afterwards, as
 * text. So control tokens come from the template alone. A template that looks into contents (their length, a word in
 * them) sees the mark instead; one that cuts or changes them is refused.
 */
export class TemplateChat {
  constructor(
    private readonly renderer: TemplateRenderer,
    private readonly template: string,
    private readonly tokenizer: Tokenizer,
  ) {}

  /** The prompt that ends where the answer begins. @throws ERR_TEMPLATE, ERR_TEMPLATE_BUDGET */
  async segments(messages: readonly PlainMessage[]): Promise<readonly Segment[]> {
    const rendered = await this.render(messages, true);
    const segments: Segment[] = [];
    let end = 0;
    for (const match of rendered.matchAll(MARK)) {
      segments.push(...templateText(this.tokenizer, rendered.slice(end, match.index)));
      segments.push(text(contentOf(messages, match)));
      end = match.index + match[0].length;
    }
    segments.push(...templateText(this.tokenizer, rendered.slice(end)));
    return segments;
  }

  /** What the template writes behind an answer: there it ends, whether the model's end-of-sequence tokens know it or not. */
  async stops(): Promise<readonly string[]> {
    const turn: PlainMessage[] = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    const rendered = await this.render(turn, false).catch((error: unknown) => {
      if (error instanceof GemmaError && error.code === "ERR_TEMPLATE") return ""; // it wants other conversations
      throw error;
    });
    const answer = [...rendered.matchAll(MARK)].find((match) => match[2] === "1");
    if (!answer) return [];
    const [word] = rendered
      .slice(answer.index + answer[0].length)
      .trim()
      .split(/\s/);
    return word ? [word] : [];
  }

  private render(messages: readonly PlainMessage[], addGenerationPrompt: boolean): Promise<string> {
    const name = (id: number | undefined) => (id === undefined ? "" : this.tokenizer.tokenText(id));
    return this.renderer.render(this.template, {
      messages: messages.map(({ role, content }, i) => ({
        role,
        content: content === "" ? "" : `${SPACE}${OPEN}${i}${CLOSE}${SPACE}`,
      })),
      add_generation_prompt: addGenerationPrompt,
      bos_token: name(this.tokenizer.bosId),
      eos_token: name(this.tokenizer.eosIds[0]),
    });
  }
}

/** The content that a mark stands for, trimmed where the template has trimmed the mark. */
function contentOf(messages: readonly PlainMessage[], match: RegExpExecArray): string {
  const message = messages[Number(match[2])];
  if (!message) throw new GemmaError("ERR_TEMPLATE", "chat template: must keep what messages say, got it changed");
  const start = match[1] === SPACE ? message.content : message.content.trimStart();
  return match[3] === SPACE ? start : start.trimEnd();
}

/** What the template itself wrote: its control tokens, and text between them. */
function templateText(tokenizer: Tokenizer, written: string): Segment[] {
  if (written.includes(OPEN) || written.includes(CLOSE)) {
    throw new GemmaError("ERR_TEMPLATE", "chat template: must keep what messages say, got it changed");
  }
  const segments: Segment[] = [];
  let plainFrom = 0;
  for (let at = 0; at < written.length; at++) {
    if (written[at] !== "<" && written[at] !== "[") continue;
    const name = controlAt(tokenizer, written, at);
    if (name === null) continue;
    segments.push(text(written.slice(plainFrom, at)), control(name));
    at += name.length - 1;
    plainFrom = at + 1;
  }
  segments.push(text(written.slice(plainFrom)));
  return segments.filter((segment) => segment.kind === "control" || segment.text !== "");
}

/** The longest control token written at a position, or null. */
function controlAt(tokenizer: Tokenizer, written: string, at: number): string | null {
  for (let end = Math.min(written.length, at + MAX_NAME); end > at + 1; end--) {
    if (written[end - 1] !== ">" && written[end - 1] !== "]") continue;
    const name = written.slice(at, end);
    const id = tokenizer.vocabulary.index.findText(name);
    if (id >= 0 && tokenizer.isControl(id)) return name;
  }
  return null;
}
