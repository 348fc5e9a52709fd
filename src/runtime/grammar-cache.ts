/** What the grammar library has compiled. */
interface Disposable {
  dispose(): void;
}

interface Entry<T> {
  readonly compiled: T;
  users: number;
}

/** Compiled grammars by their text: clients send the same schema again and again. Those that nobody uses are few. */
export class GrammarCache<T extends Disposable> {
  private readonly entries = new Map<string, Entry<T>>(); // the last used is the last

  /** @param keep  grammars that are kept though nobody uses them */
  constructor(
    private readonly compile: (grammar: string) => Promise<T>,
    private readonly keep: number,
  ) {}

  /** The compiled grammar, until release(). Calls must not overlap. */
  async take(grammar: string): Promise<{ readonly compiled: T; release(): void }> {
    const entry = this.entries.get(grammar) ?? { compiled: await this.compile(grammar), users: 0 };
    this.entries.delete(grammar);
    this.entries.set(grammar, entry);
    entry.users++;
    let isHeld = true;
    return {
      compiled: entry.compiled,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        entry.users--;
        this.forgetOldest();
      },
    };
  }

  private forgetOldest(): void {
    const unused = [...this.entries].filter(([, { users }]) => users === 0);
    for (const [grammar, { compiled }] of unused.slice(0, Math.max(0, unused.length - this.keep))) {
      this.entries.delete(grammar);
      compiled.dispose();
    }
  }
}
