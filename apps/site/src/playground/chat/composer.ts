import { byId } from "../../dom/dom.js";

/** The field for messages, with its buttons. */
export class Composer {
  private readonly area = byId<HTMLTextAreaElement>("message");
  private readonly sendButton = byId<HTMLButtonElement>("send");
  private readonly stopButton = byId<HTMLButtonElement>("stop");
  private isReady = false;
  private isRunning = false;

  constructor(
    private readonly send: (text: string) => void,
    stop: () => void,
  ) {
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.area.addEventListener("keydown", (event) => {
      // While an input method composes, Enter is its own.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.area.addEventListener("input", () => this.update());
    this.stopButton.addEventListener("click", stop);
    document.addEventListener("keydown", ({ key, defaultPrevented }) => {
      if (key === "Escape" && this.isRunning && !defaultPrevented) stop();
    });
  }

  setReady(isReady: boolean): void {
    this.isReady = isReady;
    this.update();
  }

  setRunning(isRunning: boolean): void {
    const hadFocus = document.activeElement === this.stopButton || document.activeElement === this.sendButton;
    this.isRunning = isRunning;
    this.update();
    if (hadFocus) (isRunning ? this.stopButton : this.area).focus(); // the button that had it is hidden
  }

  focus(): void {
    this.area.focus();
  }

  private submit(): void {
    const text = this.area.value.trim();
    if (text === "" || !this.isReady || this.isRunning) return;
    this.area.value = "";
    this.update();
    this.send(text);
  }

  private update(): void {
    this.sendButton.hidden = this.isRunning;
    this.stopButton.hidden = !this.isRunning;
    this.sendButton.disabled = !this.isReady || this.area.value.trim() === "";
  }
}
