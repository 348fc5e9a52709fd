/** A stream that keeps what is written. */
export class Sink {
  text = "";
  constructor(
    readonly isTTY = false,
    readonly columns = 80,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

export function sinks(isTTY = false, env: Record<string, string> = {}) {
  return { stdout: new Sink(isTTY), stderr: new Sink(isTTY), env };
}
