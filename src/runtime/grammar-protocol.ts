// Messages between the engine and the worker that computes masks: plain data only.

/** What the worker must know of the vocabulary. */
export interface GrammarVocabulary {
  /** Token i is bytes[starts[i], starts[i + 1]). */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array; // [size + 1]
  /** 1 for tokens that never stand for text. [size] */
  readonly silent: Uint8Array;
  readonly stopIds: readonly number[];
  /** Tokens that the model knows, V: at least `size`. */
  readonly vocabSize: number;
}

/** Which request the worker is at (0: none), and how many pieces of work it has begun. */
export interface GrammarStatus {
  readonly request: number;
  readonly serial: number;
}

/** The same in shared memory. */
export const STATUS = { request: 0, serial: 1, length: 2 } as const;

export interface GrammarWorkerData {
  readonly vocabulary: GrammarVocabulary;
  /** null: there is no shared memory, and the status comes in messages. */
  readonly status: Int32Array | null;
}

export type ToGrammar =
  | { readonly type: "open"; readonly id: number; readonly grammar: string; readonly accepted: readonly number[] }
  | { readonly type: "accept"; readonly id: number; readonly token: number }
  | { readonly type: "close"; readonly id: number };

/** `ready`: the vocabulary is prepared; compiling a grammar of strings took `compileMs` here. */
export type FromGrammar =
  | { readonly type: "ready"; readonly compileMs: number }
  | {
      readonly type: "mask";
      readonly id: number;
      /** Tokens accepted before: a mask of an earlier position is out of date. */
      readonly position: number;
      readonly bits: Uint32Array<ArrayBuffer>;
    }
  | ({ readonly type: "status" } & GrammarStatus)
  | { readonly type: "error"; readonly id: number; readonly message: string };
