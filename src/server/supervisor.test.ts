import { expect, test, vi } from "vitest";
import { GemmaError } from "../base/errors.js";
import type { Gemma } from "../runtime/gemma.js";
import { type EngineState, Supervisor } from "./supervisor.js";

/** What the supervisor uses of a model, and a way to let it crash. */
function fakeModel(adapters: string[] = []) {
  let crash: (error: GemmaError) => void = () => {};
  const ended = new Promise<GemmaError>((resolve) => {
    crash = resolve;
  });
  const model = {
    ended,
    get adapters() {
      return [...adapters];
    },
    addAdapter: async (name: string, folder: string) => {
      if (folder === "gone") throw new GemmaError("ERR_MISSING_FILE", "no such folder");
      adapters.push(name);
    },
    removeAdapter: async (name: string) => void adapters.splice(adapters.indexOf(name), 1),
    dispose: vi.fn(async () => crash(new GemmaError("ERR_DISPOSED", "disposed"))),
  };
  return { model: model as unknown as Gemma, adapters, crash: () => crash(new GemmaError("ERR_WORKER", "died")) };
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

test("a model that crashes is loaded again, with its adapters; meanwhile requests are refused", async () => {
  const fakes = [fakeModel(), fakeModel()];
  let loads = 0;
  const changes: EngineState[] = [];
  const supervisor = new Supervisor(async () => fakes[loads++]!.model, {
    firstPauseMs: 5,
    onChange: (state) => changes.push(state),
  });
  expect(() => supervisor.engine).toThrow(expect.objectContaining({ code: "ERR_NOT_READY" }));
  await supervisor.started;
  await supervisor.addAdapter("a", "folder");
  await supervisor.addAdapter("b", "folder");
  await supervisor.removeAdapter("b");
  fakes[0]!.crash();
  await until(() => supervisor.state === "restarting");
  expect(() => supervisor.engine).toThrow("it has crashed and is being loaded again");
  await until(() => supervisor.state === "ready");
  expect(supervisor.engine).toBe(fakes[1]!.model);
  expect(fakes[1]!.adapters).toEqual(["a"]);
  expect([changes, supervisor.crashes]).toEqual([["restarting", "ready"], 1]);
  await supervisor.dispose();
  expect([supervisor.state, supervisor.crashes]).toEqual(["disposed", 1]); // a dispose is no crash
});

test("an adapter that comes with the load, and was removed, stays away", async () => {
  const fakes = [fakeModel(["own", "other"]), fakeModel(["own", "other"]), fakeModel(["own", "other"])];
  let loads = 0;
  const supervisor = new Supervisor(async () => fakes[loads++]!.model, { firstPauseMs: 1 });
  await supervisor.started;
  await supervisor.removeAdapter("own");
  fakes[0]!.crash();
  await until(() => supervisor.state === "restarting");
  await until(() => supervisor.state === "ready");
  expect(fakes[1]!.adapters).toEqual(["other"]);
  await supervisor.addAdapter("own", "folder");
  fakes[1]!.crash();
  await until(() => supervisor.state === "restarting");
  await until(() => supervisor.state === "ready");
  expect(fakes[2]!.adapters).toContain("own");
  await supervisor.dispose();
});

test("loads that fail are tried again, with pauses that double up to the longest", async () => {
  const first = fakeModel();
  let loads = 0;
  const times: number[] = [];
  const supervisor = new Supervisor(
    async () => {
      times.push(performance.now());
      if (loads++ === 0) return first.model;
      if (loads < 6) throw new Error("no memory");
      return fakeModel().model;
    },
    { firstPauseMs: 10, longestPauseMs: 40 },
  );
  await supervisor.started;
  first.crash();
  await until(() => supervisor.state === "restarting");
  await until(() => supervisor.state === "ready");
  const pauses = times.slice(2).map((time, i) => time - times[i + 1]!);
  expect(pauses.every((pause, i) => pause >= Math.min(40, 20 * 2 ** i) - 2)).toBe(true);
  await supervisor.dispose();
});

test("an adapter that is gone does not keep the model away", async () => {
  const fakes = [fakeModel(), fakeModel()];
  let loads = 0;
  const errors: string[] = [];
  const supervisor = new Supervisor(async () => fakes[loads++]!.model, {
    firstPauseMs: 1,
    onChange: (_, error) => error && errors.push(error.message),
  });
  await supervisor.started;
  await supervisor.addAdapter("a", "folder");
  fakes[1]!.model.addAdapter = () => Promise.reject(new GemmaError("ERR_MISSING_FILE", "no such folder"));
  fakes[0]!.crash();
  await until(() => supervisor.state === "restarting");
  await until(() => supervisor.state === "ready");
  expect(errors).toEqual(["died", "adapter a: is lost: no such folder"]);
  await supervisor.dispose();
});

test("a loaded model is not loaded again; a first load that fails is told", async () => {
  const { model, crash } = fakeModel();
  const supervisor = new Supervisor(model);
  await supervisor.started;
  crash();
  await until(() => supervisor.state === "failed");
  expect(() => supervisor.engine).toThrow("could not be loaded");
  const never = new Supervisor(() => Promise.reject(new Error("no such file")));
  await expect(never.started).rejects.toThrow("no such file");
  expect(never.state).toBe("failed");
});

test("a model that comes after the end is freed", async () => {
  const { model } = fakeModel();
  let loaded = (_: Gemma) => {};
  const load = new Promise<Gemma>((resolve) => {
    loaded = resolve;
  });
  const supervisor = new Supervisor(() => load);
  await supervisor.dispose();
  loaded(model);
  await expect(supervisor.started).rejects.toMatchObject({ code: "ERR_DISPOSED" });
  expect(model.dispose).toHaveBeenCalledOnce();
});

test("an engine that dies while it takes its adapters again does not lose them", async () => {
  const fakes = [fakeModel(), fakeModel(), fakeModel()];
  let loads = 0;
  const supervisor = new Supervisor(async () => fakes[loads++]!.model, { firstPauseMs: 1 });
  await supervisor.started;
  await supervisor.addAdapter("a", "folder");
  vi.spyOn(fakes[1]!.model, "addAdapter").mockRejectedValue(new GemmaError("ERR_WORKER", "died"));
  fakes[0]!.crash();
  await until(() => loads === 3 && supervisor.state === "ready");
  expect(fakes[2]!.adapters).toEqual(["a"]);
  await supervisor.dispose();
});

test("a dispose while adapters are added again leaves no model behind", async () => {
  const fakes = [fakeModel(), fakeModel()];
  let loads = 0;
  const supervisor = new Supervisor(async () => fakes[loads++]!.model, { firstPauseMs: 1 });
  await supervisor.started;
  await supervisor.addAdapter("a", "folder");
  let goOn = () => {};
  vi.spyOn(fakes[1]!.model, "addAdapter").mockReturnValue(
    new Promise((resolve) => {
      goOn = resolve;
    }),
  );
  fakes[0]!.crash();
  await until(() => loads === 2);
  await supervisor.dispose();
  goOn();
  await until(() => vi.mocked(fakes[1]!.model.dispose).mock.calls.length === 1);
  expect(supervisor.state).toBe("disposed");
});
