import type { Answer, Message, Origin, Sampling } from "./engine.js";

export type Turn =
  | { readonly role: "user"; readonly text: string }
  | {
      readonly role: "assistant";
      readonly text: string;
      /** Of the settings and the model that it came from. */
      readonly sampling: Sampling;
      readonly system: string;
      readonly origin: Origin;
      /** null: it broke off. */
      readonly answer: Answer | null;
    };

const KEY = "conversation";

/** The turns so far. They last as long as the tab, also through a change of language. */
export class Conversation {
  private list: readonly Turn[] = restored();

  get turns(): readonly Turn[] {
    return this.list;
  }

  add(turn: Turn): void {
    this.set([...this.list, turn]);
  }

  /** Leaves out everything from turn `index` on. */
  cutAt(index: number): void {
    this.set(this.list.slice(0, index));
  }

  private set(turns: readonly Turn[]): void {
    this.list = turns;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(turns));
    } catch {
      // Full or blocked: the conversation lasts until the page is left.
    }
  }
}

/** What a model is asked: everything before turn `end`. */
export function messagesUpTo(turns: readonly Turn[], end: number, system: string): Message[] {
  const front: Message[] = system.trim() === "" ? [] : [{ role: "system", content: system.trim() }];
  return [...front, ...turns.slice(0, end).map(({ role, text }): Message => ({ role, content: text }))];
}

function restored(): readonly Turn[] {
  try {
    const turns: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(turns) ? (turns as Turn[]) : [];
  } catch {
    return [];
  }
}
