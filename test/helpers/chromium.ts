import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { endGroup } from "../../scripts/lib/end-group.mjs";
import { removeFolder } from "../../scripts/lib/remove-folder.mjs";

const NAMES = [process.env.CHROMIUM ?? "chromium", "chromium-browser", "google-chrome"];

/** The browser's path; undefined, with the reason printed, where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = NAMES.flatMap((name) => (name.includes("/") ? [name] : folders.map((folder) => join(folder, name))));
  const starts = (path: string) => spawnSync(path, ["--version"], { timeout: 20_000 }).status === 0;
  const found = paths.find((path) => existsSync(path) && starts(path));
  if (found === undefined)
    console.warn("SKIPPED: tests in a browser need chromium (apt-get install chromium), or $CHROMIUM");
  return found;
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  readonly touch?: boolean;
}

/** A tab of a headless Chromium, driven by the DevTools protocol over a pipe: no port, no package. */
export class Tab {
  private readonly browser: ChildProcess;
  private readonly profile: string;
  private readonly waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  private next = 1;
  private session = "";
  /** Errors and warnings of the page. */
  readonly complaints: string[] = [];
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];

  private constructor(command: string) {
    this.profile = mkdtempSync(join(tmpdir(), "gemma-chromium-"));
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"];
    this.browser = spawn(command, [...flags, `--user-data-dir=${this.profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      detached: true, // a process group of its own, so that close() ends its helper processes too
    });
    let pending = "";
    (this.browser.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (pending + chunk).split("\0");
      pending = messages.pop()!;
      for (const message of messages) this.receive(JSON.parse(message));
    });
  }

  static async open(command: string): Promise<Tab> {
    const tab = new Tab(command);
    const { targetId } = await tab.send<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
    const attached = await tab.send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
    tab.session = attached.sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await tab.send(`${domain}.enable`);
    return tab;
  }

  async show(url: string, { width, height, dark = false, touch = false }: Screen): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: touch });
    await this.send("Emulation.setTouchEmulationEnabled", { enabled: touch });
    const scheme = { name: "prefers-color-scheme", value: dark ? "dark" : "light" };
    await this.send("Emulation.setEmulatedMedia", { features: [scheme] });
    await this.send("Page.navigate", { url: "about:blank" });
    await this.send("Page.navigate", { url });
    await this.evaluate(
      "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))",
    );
  }

  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** @param key e.g. `Tab`, `ArrowRight`, `Escape` or a character */
  async press(key: string): Promise<void> {
    const codes: Record<string, number> = { Tab: 9, Enter: 13, Escape: 27, " ": 32 };
    const codeOf = { End: 35, Home: 36, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 }[key] ?? codes[key];
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const event = { key, windowsVirtualKeyCode: codeOf, ...(text === undefined ? {} : { text }) };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async pointAt(x: number, y: number): Promise<void> {
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }

  async tap(x: number, y: number): Promise<void> {
    await this.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await this.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  /** A PNG of what the screen shows, or of the whole page. */
  async screenshot(whole = false): Promise<Buffer> {
    const options = { captureBeyondViewport: whole };
    const { data } = await this.send<{ data: string }>("Page.captureScreenshot", options);
    return Buffer.from(data, "base64");
  }

  async close(): Promise<void> {
    const { exitCode, signalCode, pid } = this.browser;
    const hasEnded = exitCode !== null || signalCode !== null;
    const ended = hasEnded ? undefined : new Promise((resolve) => this.browser.once("exit", resolve));
    if (pid !== undefined) endGroup(pid, "SIGKILL"); // its helper processes may outlive it
    await ended;
    await removeFolder(this.profile);
  }

  private send<T>(method: string, params: object = {}): Promise<T> {
    const id = this.next++;
    const session = this.session === "" ? {} : { sessionId: this.session };
    (this.browser.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  private receive(message: {
    id?: number;
    result?: never;
    error?: { message: string };
    method?: string;
    params?: unknown;
  }) {
    const { id, result, error, method, params } = message;
    if (id !== undefined) {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result!);
    }
    if (method === "Network.requestWillBeSent")
      this.requests.push((params as { request: { url: string } }).request.url);
    const complaint = ["Runtime.exceptionThrown", "Log.entryAdded"].includes(method ?? "");
    if (complaint) this.complaints.push(JSON.stringify(params));
  }
}
