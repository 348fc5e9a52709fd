// Gemma in an Electron application: the model is in the main process, windows get their text as it comes.
// What differs from a page: the native backend, and files of the disk.
//
//   main.ts      import { ipcMain } from "electron";  serveGemma(ipcMain, "gemma-3-270m");
//   preload.ts   contextBridge.exposeInMainWorld("gemma", bridge(ipcRenderer));
//   a window     await gemma.generate("Once upon a time", (piece) => output.append(piece));

import { Gemma, type LoadOptions } from "gemma-ts";

/** What of Electron is used. */
interface Sender {
  send(channel: string, ...args: unknown[]): void;
  isDestroyed(): boolean;
}
interface IpcMain {
  handle(channel: string, listener: (event: { readonly sender: Sender }, ...args: never[]) => unknown): void;
  on(channel: string, listener: (event: unknown, ...args: never[]) => void): unknown;
}
interface IpcRenderer {
  invoke(channel: string, ...args: unknown[]): Promise<unknown>;
  send(channel: string, ...args: unknown[]): void;
  on(channel: string, listener: (event: unknown, id: number, piece: string) => void): unknown;
}

/** Loads a model and answers windows. Returns what ends it. */
export async function serveGemma(
  ipcMain: IpcMain,
  model: string,
  options: LoadOptions = {},
): Promise<() => Promise<void>> {
  const gemma = await Gemma.load(model, options);
  const running = new Map<number, AbortController>();
  ipcMain.handle("gemma:generate", async ({ sender }, id: number, prompt: string, maxTokens: number) => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      for await (const piece of gemma.generate(prompt, { maxTokens, signal: controller.signal })) {
        if (sender.isDestroyed()) break; // the window was closed: leaving the loop ends the generation
        sender.send("gemma:piece", id, piece);
      }
    } finally {
      running.delete(id);
    }
  });
  ipcMain.on("gemma:stop", (_, id: number) => running.get(id)?.abort());
  return () => gemma.dispose();
}

/** What a preload script gives to its window. */
export function bridge(ipcRenderer: IpcRenderer) {
  const listeners = new Map<number, (piece: string) => void>();
  ipcRenderer.on("gemma:piece", (_, id, piece) => listeners.get(id)?.(piece));
  const newId = () => Math.floor(Math.random() * Number.MAX_SAFE_INTEGER); // windows share one table
  return {
    async generate(prompt: string, onPiece: (piece: string) => void, maxTokens = 256): Promise<void> {
      const id = newId();
      listeners.set(id, onPiece);
      try {
        await ipcRenderer.invoke("gemma:generate", id, prompt, maxTokens);
      } finally {
        listeners.delete(id);
      }
    },
    /** Ends what this window has asked for. */
    stop(): void {
      for (const id of listeners.keys()) ipcRenderer.send("gemma:stop", id);
    },
  };
}
