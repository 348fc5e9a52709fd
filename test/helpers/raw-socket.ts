import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection that speaks in bytes: what no HTTP client would do. */
export class RawSocket {
  text = "";
  isClosed = false;
  private readonly changed = new EventTarget();

  private constructor(readonly socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      this.text += chunk;
      this.changed.dispatchEvent(new Event("change"));
    });
    socket.on("error", () => {}); // a reset: "close" follows
    socket.on("close", () => {
      this.isClosed = true;
      this.changed.dispatchEvent(new Event("change"));
    });
  }

  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ host: "127.0.0.1", port });
    const raw = new RawSocket(socket);
    await once(socket, "connect");
    return raw;
  }

  /** Sends a request's head, and a body where there is one. */
  request(method: string, path: string, body = ""): void {
    const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${body}`);
  }

  /** Waits until what was received contains `part`, or the connection is closed. */
  async until(part: string): Promise<string> {
    while (!this.text.includes(part) && !this.isClosed) await this.change();
    return this.text;
  }

  /** Waits for the end and returns all that was received. */
  async end(): Promise<string> {
    while (!this.isClosed) await this.change();
    return this.text;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private change(): Promise<unknown> {
    return new Promise((resolve) => this.changed.addEventListener("change", resolve, { once: true }));
  }
}
