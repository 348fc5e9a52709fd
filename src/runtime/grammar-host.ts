import { schemaGrammar } from "../engine/schema/schema-grammar.js";
import { GrammarCache } from "./grammar-cache.js";
import {
  type FromGrammar,
  type GrammarVocabulary,
  type GrammarWorkerData,
  STATUS,
  type ToGrammar,
} from "./grammar-protocol.js";

type Library = typeof import("@mlc-ai/web-xgrammar");
type Compiler = Awaited<ReturnType<Library["GrammarCompiler"]["createGrammarCompiler"]>>;
type Compiled = Awaited<ReturnType<Compiler["compileGrammar"]>>;
type Matcher = Awaited<ReturnType<Library["GrammarMatcher"]["createGrammarMatcher"]>>;

interface Session {
  /** Gives the grammar back. */
  readonly release: () => void;
  readonly matcher: Matcher;
  position: number;
}

/** Compiled grammars that are kept for the next request with the same schema. */
const KEPT_GRAMMARS = 16;

const WARM_UP = schemaGrammar({ type: "string" });

/** Computes masks, in a worker or (for tests) in the caller's own thread. Requests are served in their order. */
export class GrammarHost {
  private readonly sessions = new Map<number, Session>();
  private readonly setup: Promise<{ library: Library; grammars: GrammarCache<Compiled> }>;
  private queue: Promise<unknown>;
  private serial = 0;

  constructor(
    private readonly data: GrammarWorkerData,
    private readonly post: (message: FromGrammar) => void,
  ) {
    this.setup = this.prepare();
    this.queue = this.setup;
  }

  /** Resolves when the message is served. @throws what preparing the library threw */
  handle(message: ToGrammar): Promise<void> {
    const served = this.queue.then(() => this.serve(message));
    this.queue = served;
    return served;
  }

  private async prepare() {
    const library = await importLibrary();
    const { stopIds, vocabSize } = this.data.vocabulary;
    const texts = tokenTexts(this.data.vocabulary);
    const info = await library.TokenizerInfo.createTokenizerInfo(texts, "byte_fallback", false, vocabSize, [
      ...stopIds,
    ]);
    const compiler = await library.GrammarCompiler.createGrammarCompiler(info, false);
    const start = performance.now();
    (await compiler.compileGrammar(WARM_UP)).dispose();
    this.post({ type: "ready", compileMs: performance.now() - start });
    return { library, grammars: new GrammarCache((grammar) => compiler.compileGrammar(grammar), KEPT_GRAMMARS) };
  }

  private async serve(message: ToGrammar): Promise<void> {
    this.serial++;
    this.tell(message.id);
    try {
      if (message.type === "close") this.close(message.id);
      else if (message.type === "open") await this.open(message);
      else await this.accept(message.id, [message.token]);
    } catch (error) {
      this.close(message.id);
      const text = error instanceof Error ? error.message : `the grammar library failed (${String(error)})`;
      this.post({ type: "error", id: message.id, message: text });
    } finally {
      this.tell(0);
    }
  }

  /** What this thread is at: it may be busy with it for so long that somebody ends it. */
  private tell(request: number): void {
    const { status } = this.data;
    if (status === null) {
      this.post({ type: "status", request, serial: this.serial });
      return;
    }
    Atomics.store(status, STATUS.serial, this.serial);
    Atomics.store(status, STATUS.request, request);
  }

  private async open({ id, grammar, accepted }: Extract<ToGrammar, { type: "open" }>): Promise<void> {
    const { library, grammars } = await this.setup;
    const { compiled, release } = await grammars.take(grammar);
    const matcher = await library.GrammarMatcher.createGrammarMatcher(compiled).catch((error: unknown) => {
      release();
      throw error;
    });
    this.sessions.set(id, { release, matcher, position: 0 });
    await this.accept(id, accepted);
  }

  /** Advances a session, and answers with what may come next. */
  private async accept(id: number, tokens: readonly number[]): Promise<void> {
    const session = this.sessions.get(id);
    if (!session) return; // closed, or failed before
    const { matcher } = session;
    session.position += tokens.length;
    for (const token of tokens) {
      if (!matcher.isTerminated() && !matcher.acceptToken(token)) throw new Error(`token ${token} does not fit`);
    }
    const bits = matcher.isTerminated()
      ? new Uint32Array(Math.ceil(this.data.vocabulary.vocabSize / 32)) // behind its end nothing fits
      : Uint32Array.from(await matcher.getNextTokenBitmask(), (word) => word >>> 0);
    this.post({ type: "mask", id, position: session.position, bits });
  }

  private close(id: number): void {
    const session = this.sessions.get(id);
    this.sessions.delete(id);
    session?.matcher.dispose();
    session?.release();
  }
}

/**
 * The library is a script for browsers: it wants a `location` until it has begun, and leaves itself in a global variable,
 * or where a bundler has made a module of it, in that.
 */
async function importLibrary(): Promise<Library> {
  const scope = globalThis as { location?: unknown; xgrammar?: Library };
  const isPage = scope.location !== undefined;
  if (!isPage) Object.defineProperty(scope, "location", { value: { href: import.meta.url }, configurable: true });
  try {
    const module = (await import("@mlc-ai/web-xgrammar")) as Partial<Library> & { default?: Library };
    const library = scope.xgrammar ?? (module.Grammar ? (module as Library) : module.default);
    if (!library) throw new Error("@mlc-ai/web-xgrammar did not define itself");
    (await library.Grammar.builtinJSONGrammar()).dispose();
    return library;
  } finally {
    if (!isPage) delete scope.location;
  }
}

/** Tokens as the library wants them: spaces as U+2581, nothing for tokens that must not be written. */
function tokenTexts({ bytes, starts, silent }: GrammarVocabulary): string[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return Array.from(silent, (skip, id) =>
    skip === 1 ? "" : decoder.decode(bytes.subarray(starts[id], starts[id + 1])).replaceAll(" ", "\u2581"),
  );
}
