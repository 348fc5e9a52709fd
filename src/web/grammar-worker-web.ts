import { GrammarHost } from "../runtime/grammar-host.js";
import type { FromGrammar, GrammarWorkerData, ToGrammar } from "../runtime/grammar-protocol.js";

/** The first message is what the worker must know; Node's workers are born with it. */
export type ToGrammarWorker = { readonly type: "data"; readonly data: GrammarWorkerData } | ToGrammar;

interface WorkerScope {
  postMessage(message: FromGrammar, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToGrammarWorker>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let host: GrammarHost | null = null;

scope.onmessage = ({ data: message }) => {
  if (message.type === "data") {
    host = new GrammarHost(message.data, (from) =>
      scope.postMessage(from, from.type === "mask" ? [from.bits.buffer] : []),
    );
    return;
  }
  host?.handle(message).catch((error: unknown) => {
    // Preparing failed. An error that is thrown in a promise reaches nobody: a timer's reaches the worker's owner.
    setTimeout(() => {
      throw error;
    });
  });
};
