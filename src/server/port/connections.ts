import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Requests that a client may send before it has the answer to the first. */
const MAX_PIPELINED = 8;

/** How long a request may be on its way: a connection that looks idle is closed no earlier. */
const ON_ITS_WAY_MS = 100;

/** The open connections of a server, and what is answered on them: on each one request at a time. */
export class Connections {
  private readonly sockets = new Set<Socket>();
  private readonly responses = new Set<ServerResponse>();
  /** What each connection has asked for and not got yet. */
  private readonly lines = new WeakMap<Socket, ServerResponse[]>();
  private isDraining = false;
  private refused = 0;

  /** @param answer  begins to answer a request; its response closes when that is done */
  constructor(
    server: Server,
    private readonly answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  ) {
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    server.on("drop", () => this.refused++);
    server.on("request", (incoming, outgoing) => this.enqueue(incoming.socket, outgoing));
  }

  counts(): { connections: number; responses: number; refused: number } {
    return { connections: this.sockets.size, responses: this.responses.size, refused: this.refused };
  }

  /** What is answered on this connection. */
  current(socket: Socket): ServerResponse | undefined {
    const first = this.lines.get(socket)?.[0];
    return first && this.responses.has(first) ? first : undefined;
  }

  /**
   * From now on every answer closes its connection. Those without one are closed in a moment: what a client wrote before it
   * could know is read and answered first.
   */
  async drain(): Promise<void> {
    this.isDraining = true;
    for (const response of this.responses) if (!response.headersSent) response.shouldKeepAlive = false;
    await sleep(ON_ITS_WAY_MS);
    for (const socket of this.sockets) if (this.current(socket) === undefined) socket.destroySoon();
  }

  /** Node would begin all that a client sends at once, and lose sight of what is in line when the connection closes. */
  private enqueue(socket: Socket, outgoing: ServerResponse): void {
    const line = this.lines.get(socket) ?? [];
    this.lines.set(socket, line);
    if (line.push(outgoing) === 1) this.begin(socket, line);
    else if (line.length > MAX_PIPELINED) socket.destroy();
  }

  private begin(socket: Socket, line: ServerResponse[]): void {
    const outgoing = line[0]!;
    this.responses.add(outgoing);
    if (this.isDraining) outgoing.shouldKeepAlive = false;
    outgoing.once("close", () => {
      this.responses.delete(outgoing);
      line.shift();
      if (line.length > 0 && !socket.destroyed) this.begin(socket, line);
      else if (this.isDraining) socket.destroySoon(); // its headers may have promised otherwise
    });
    this.answer(outgoing.req, outgoing);
  }
}
