/** What an example is made of: see the members of Example. */
export type ExampleKind = "chat" | "completion" | "text" | "preference";

export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** Of an assistant's turn: whether it is learned. Default: true. */
  readonly isLearned?: boolean;
}

/** A plain text, or turns of a conversation. */
export type Part = string | readonly Turn[];

interface Base {
  /** Where it stands, as messages show it: `data.jsonl:12`. */
  readonly at: string;
}

/** A conversation: the assistant's turns are learned. */
export interface ChatExample extends Base {
  readonly kind: "chat";
  /** Maybe a system message, then user and assistant in turn; the last is the assistant's. */
  readonly turns: readonly Turn[];
}

/** The completion is learned, the prompt is not. */
export interface CompletionExample extends Base {
  readonly kind: "completion";
  /** Turns end with a user's. */
  readonly prompt: Part;
  /** Turns start and end with an assistant's. */
  readonly completion: Part;
}

/** All of it is learned. */
export interface TextExample extends Base {
  readonly kind: "text";
  readonly text: string;
}

/** Two completions of a prompt, of which the chosen one is to become likelier. */
export interface PreferenceExample extends Base {
  readonly kind: "preference";
  readonly prompt: Part;
  readonly chosen: Part;
  readonly rejected: Part;
}

export type Example = ChatExample | CompletionExample | TextExample | PreferenceExample;
