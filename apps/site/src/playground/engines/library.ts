// The part of gemma-ts in a browser that the playground uses. It is fetched when a model is first asked for.

export interface LoadProgress {
  readonly phase: string;
  readonly what: string;
  readonly done: number;
  readonly total: number;
  readonly remainingSeconds?: number | undefined;
}

export interface ModelPlan {
  readonly name: string;
  readonly sizeBytes: number;
  readonly downloadBytes: number | null;
  readonly isStored: boolean;
  readonly memory: { readonly totalBytes: number } | null;
  readonly storage: { readonly freeBytes: number } | null;
  readonly problems: readonly string[];
}

export interface OfferedModel {
  readonly name: string;
  readonly label: string;
  readonly sizeBytes: number;
}

export interface Piece {
  readonly text: string;
  readonly id: number | null;
  readonly logprob: {
    readonly logprob: number;
    readonly top: readonly { readonly id: number; readonly logprob: number }[];
  } | null;
}

export interface LoadedModel {
  readonly info: {
    readonly name: string;
    readonly backend: { readonly name: string; readonly isa?: string | null; readonly threads: number };
    readonly contextLength: number;
    readonly chatStyle: string;
  };
  answer(
    messages: readonly object[],
    options: object,
  ): {
    tokens(): AsyncIterable<Piece>;
    readonly result: Promise<{
      readonly finishReason: string;
      readonly timings: { readonly generatedTokens: number; readonly firstTokenMs: number; readonly decodeMs: number };
    }>;
  };
  tokenBytes(ids: readonly number[]): Promise<Uint8Array[]>;
  dispose(): Promise<void>;
}

export interface Library {
  readonly Gemma: { load(model: string | Blob, options: object): Promise<LoadedModel> };
  planModel(model: string | Blob, options: object): Promise<ModelPlan>;
  offeredModels(options: object): Promise<readonly OfferedModel[]>;
  listStoredModels(): Promise<
    readonly {
      readonly name: string;
      readonly sizeBytes: number;
      readonly storedBytes: number;
      readonly isComplete: boolean;
    }[]
  >;
  removeStoredModel(name: string): Promise<boolean>;
  persistStorage(): Promise<boolean>;
}

let loaded: Promise<Library> | undefined;

export function library(): Promise<Library> {
  loaded ??= import("gemma-ts") as unknown as Promise<Library>;
  return loaded;
}
