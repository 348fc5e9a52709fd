import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { randomStoredWeight } from "../../backend/testing/stored-weight.js";
import { seededRng } from "../../base/rng.js";
import { nativeBackend, nativeIsas } from "./index.js";
import { addonPath } from "./load-addon.js";

const available = await nativeBackend.available();
if (available !== true) console.warn(`SKIPPED: lifecycle of native backends: ${available}`);

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0; // of util-linux: takes address space away
if (!hasPrlimit) console.warn("SKIPPED: threads that do not start: no prlimit here");

const create = (options = {}): Promise<Backend> => nativeBackend.create({ threads: 2, ...options });

/** Opens a backend with threads, uses it and leaves it open. */
const LEAVE_OPEN = `
  const addon = require(${JSON.stringify(addonPath() ?? "")});
  const be = addon.createBackend("", 3, true);
  const x = addon.createTensor(be, false, 1 << 20);
  addon.add(be, 1 << 10, 1 << 10, x, 0, x, 0, x, 0);
`;

describe.skipIf(available !== true)("lifecycle", () => {
  test("options are checked", async () => {
    await expect(create({ isa: "mmx" })).rejects.toMatchObject({
      code: "ERR_BACKEND_UNAVAILABLE",
      message: `native: isa must be one that this CPU runs (${nativeIsas().join(", ")}), got mmx`,
    });
    await expect(create({ threads: 0 })).rejects.toMatchObject({ code: "ERR_RANGE" });
    const backend = await nativeBackend.create({});
    expect(backend.info().threads).toBeGreaterThanOrEqual(1);
    expect(backend.info().activations).toBe("int8");
    backend.dispose();
  });

  test("after dispose every call says so, and dispose is idempotent", async () => {
    const backend = await create();
    const x = backend.tensor("f32", [1, 2]);
    backend.dispose();
    backend.dispose();
    const disposed = expect.objectContaining({ code: "ERR_DISPOSED" });
    expect(() => backend.tensor("f32", [1])).toThrow(disposed);
    expect(() => backend.add(x, x, x)).toThrow(disposed);
    await expect(backend.read(x)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  });

  test("a freed tensor and its views are gone, freeing a view or twice does nothing", async () => {
    const backend = await create();
    const x = backend.tensor("f32", [4]);
    const view = backend.view(x, [2], 1);
    backend.write(view, Float32Array.of(5, 6));
    backend.free(view);
    expect(Array.from(await backend.read(x))).toEqual([0, 5, 6, 0]);
    backend.free(x);
    backend.free(x);
    backend.tensor("f32", [4]); // takes the freed tensor's place
    await expect(backend.read(view)).rejects.toMatchObject({ code: "ERR_DISPOSED" });
    backend.dispose();
  });

  test("a tensor of another backend is refused", async () => {
    const [one, two] = [await create(), await create()];
    const x = one.tensor("f32", [1, 1]);
    const y = two.tensor("f32", [1, 1]);
    expect(() => one.add(x, x, y)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
    one.dispose();
    two.dispose();
  });

  test("a source that returns too little is an error, not a weight", async () => {
    const backend = await create();
    const stored = { name: "w", dtype: "Q8_0", shape: [16, 32], read: () => new Uint8Array(34 * 15) } as const;
    expect(() => backend.weight(stored)).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    backend.dispose();
  });

  test("what cannot be allocated is an error", async () => {
    const backend = await create();
    expect(() => backend.tensor("f32", [2 ** 23, 2 ** 23])).toThrow(
      expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }),
    );
    expect(() => backend.tensor("f32", [2 ** 31, 2 ** 31])).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
    backend.dispose();
  });

  test("threads that lose their cores to each other rest and come back; results stay the same", async () => {
    const values = Float32Array.from({ length: 64 * 512 }, (_, i) => Math.sin(i));
    const product = async (threads: number, rounds: number) => {
      const backend = await create({ threads });
      const weight = backend.weight(randomStoredWeight("Q8_0", [4096, 512], seededRng(1)));
      const x = backend.tensor("f32", [64, 512]);
      const out = backend.tensor("f32", [64, 4096]);
      backend.write(x, values);
      for (let i = 0; i < rounds; i++) backend.matmul(out, x, weight);
      const result = await backend.read(out);
      backend.dispose(); // joins resting threads, too
      return Buffer.from(result.buffer);
    };
    const expected = await product(1, 1);
    expect(expected.equals(await product(64, 40))).toBe(true);
  });

  test.each(["", "process.exit(0)"])("a process ends with a backend open: %s", (end) => {
    execFileSync(process.execPath, ["-e", LEAVE_OPEN + end], { timeout: 20_000 });
  });

  test.each(["", "process.exit(0)"])("a worker thread ends with a backend open: %s", async (end) => {
    const workers = [1, 2].map(() => new Worker(LEAVE_OPEN + end, { eval: true }));
    for (const [code] of await Promise.all(workers.map((worker) => once(worker, "exit")))) expect(code).toBe(0);
  });

  test.skipIf(!hasPrlimit)("threads that the system does not start are an error, and the process goes on", () => {
    const script = `
      const addon = require(${JSON.stringify(addonPath() ?? "")});
      const status = require("node:fs").readFileSync("/proc/self/status", "utf8");
      const limit = 1024 * Number(/VmSize:\\s+(\\d+)/.exec(status)[1]) + 3e8; // room for some of 256 stacks
      require("node:child_process").execFileSync("prlimit", ["--pid=" + process.pid, "--as=" + limit]);
      try {
        addon.createBackend("", 256, true);
      } catch (error) {
        console.log(error.code, error.message);
      }`;
    expect(execFileSync(process.execPath, ["-e", script], { timeout: 20_000, encoding: "utf8" })).toBe(
      "ERR_BACKEND_UNAVAILABLE native: the system must start 256 threads, got fewer; ask for fewer (--threads)\n",
    );
  });

  test("a worker thread is terminated while it works", async () => {
    const endless = `for (;;) addon.add(be, 1 << 10, 1 << 10, x, 0, x, 0, x, 0);`;
    const worker = new Worker(`${LEAVE_OPEN} require("node:worker_threads").parentPort.postMessage(0); ${endless}`, {
      eval: true,
    });
    await once(worker, "message");
    await worker.terminate();
  });
});
