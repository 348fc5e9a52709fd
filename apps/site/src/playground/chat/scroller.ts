const NEAR = 80; // CSS px

/** Keeps the end of a conversation in sight as long as the reader is there, and leaves alone who reads further up. */
export class Scroller {
  private isAtEnd = false; // until there is something to follow

  constructor(
    private readonly log: HTMLElement,
    private readonly button: HTMLButtonElement,
  ) {
    addEventListener("scroll", () => this.look(), { passive: true });
    addEventListener("resize", () => this.look(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
  }

  /** The page has grown. */
  grown(): void {
    if (this.isAtEnd) this.toEnd();
    else this.look();
  }

  toEnd(): void {
    this.isAtEnd = true;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.button.hidden = true;
  }

  private look(): void {
    const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.button.hidden = this.isAtEnd || this.log.childElementCount === 0;
  }
}
