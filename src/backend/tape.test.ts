import { afterEach, describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.js";
import { seededRng } from "../base/rng.js";
import type { Backend } from "./backend.js";
import { checked } from "./checked.js";
import { Tape } from "./tape.js";
import type { Tensor, Weight } from "./tensor.js";
import { randomValues } from "./testing/case-tensors.js";

const below = await referenceBackend.create({ activations: "f32" });
const made = new Set<unknown>();
let copies = 0;

/** The reference, with its ops checked; counts what lives on it and what is copied. */
const be: Backend = {
  ...checked(below),
  tensor(dtype, shape) {
    const tensor = below.tensor(dtype, shape);
    made.add(tensor);
    return tensor;
  },
  free(handle) {
    made.delete(handle);
    below.free(handle);
  },
  scale(out, x, factor) {
    if (factor === 1) copies += 1;
    below.scale(out, x, factor);
  },
};

afterEach(() => {
  made.clear();
  copies = 0;
});

const [T, D] = [4, 8];

function floats(of: Backend, shape: readonly number[], values: Float32Array): Tensor {
  const tensor = of.tensor("f32", shape);
  of.write(tensor, values);
  return tensor;
}

function ints(values: readonly number[]): Tensor {
  const tensor = be.tensor("i32", [values.length]);
  be.write(tensor, Int32Array.from(values));
  return tensor;
}

/** A trainable norm over [T, D], and a tape that records. */
function setUp() {
  const tape = new Tape(be);
  const rng = seededRng(7);
  const random = (shape: readonly number[]) =>
    floats(
      be,
      shape,
      randomValues(
        rng,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
  const weight = random([D]);
  const gradient = be.tensor("f32", [D]);
  tape.train(weight, gradient);
  const buffer = () => floats(tape, [T, D], randomValues(rng, T * D));
  return { tape, random, weight, gradient, buffer };
}

describe("what backward needs is copied only when it is overwritten", () => {
  test("not at all while it lies in its buffer", async () => {
    const { tape, weight, gradient, buffer } = setUp();
    const [x, y] = [buffer(), buffer()];
    tape.begin();
    tape.rmsNorm(y, x, weight, 1e-6);
    be.write(tape.seed(y), new Float32Array(T * D).fill(1));
    tape.backward();
    expect(copies).toBe(0);
    expect(await be.read(gradient)).not.toEqual(new Float32Array(D));
  });

  test("once for two ops that need it", () => {
    const { tape, weight, buffer } = setUp();
    const [x, y, z] = [buffer(), buffer(), buffer()];
    tape.begin();
    tape.rmsNorm(y, x, weight, 1e-6);
    tape.rmsNorm(z, x, weight, 1e-6);
    expect(copies).toBe(0);
    tape.add(x, y, z);
    tape.add(x, y, z); // another version, which nobody needs
    expect(copies).toBe(1);
    tape.cancel();
  });

  test("never for what depends on nothing trainable", () => {
    const { tape, random, buffer } = setUp();
    const frozen = random([D]);
    const [x, y] = [buffer(), buffer()];
    tape.begin();
    tape.rmsNorm(y, x, frozen, 1e-6);
    tape.rmsNorm(x, x, frozen, 1e-6);
    expect(copies).toBe(0);
    tape.cancel();
  });

  test("and when the caller writes", () => {
    const { tape, weight, buffer } = setUp();
    const [x, y] = [buffer(), buffer()];
    tape.begin();
    tape.rmsNorm(y, x, weight, 1e-6);
    tape.write(x, new Float32Array(T * D));
    expect(copies).toBe(1);
    tape.cancel();
  });
});

describe("memory", () => {
  test("steps of one size take the same memory, and all of it is given back", () => {
    const { tape, weight, buffer } = setUp();
    const [x, y] = [buffer(), buffer()];
    const step = () => {
      tape.begin();
      tape.rmsNorm(y, x, weight, 1e-6);
      tape.rmsNorm(y, y, weight, 1e-6);
      tape.add(x, x, y);
      tape.seed(x);
      tape.backward();
    };
    const live = made.size;
    step();
    step();
    const [blocks, bytes] = [made.size, tape.scratchBytes];
    for (let i = 0; i < 5; i++) step();
    expect(made.size).toBe(blocks);
    expect(tape.scratchBytes).toBe(bytes);
    tape.freeScratch();
    expect(made.size).toBe(live);
    expect(tape.scratchBytes).toBe(0);
  });

  test("what a step did not need is freed behind it", () => {
    const { tape, weight, buffer } = setUp();
    const [large, out] = [tape.tensor("f32", [400, D]), tape.tensor("f32", [400, D])];
    const step = (x: Tensor, y: Tensor) => {
      tape.begin();
      tape.rmsNorm(y, x, weight, 1e-6);
      tape.rmsNorm(y, y, weight, 1e-6);
      tape.seed(y);
      tape.backward();
    };
    step(large, out);
    const bytes = tape.scratchBytes;
    step(buffer(), buffer());
    expect(tape.scratchBytes).toBeLessThan(bytes / 10);
  });

  test("a step that fails in the middle leaves the next one as it was", async () => {
    const { tape, weight, gradient, buffer } = setUp();
    const [x, y] = [buffer(), buffer()];
    const values = await be.read(x);
    const step = () => {
      tape.write(x, values);
      tape.begin();
      tape.rmsNorm(x, x, weight, 1e-6);
      tape.rmsNorm(y, x, weight, 1e-6);
      be.write(tape.seed(y), new Float32Array(T * D).fill(1));
      tape.backward();
    };
    step();
    step();
    const [wanted, bytes] = [await be.read(gradient), tape.scratchBytes];
    tape.begin();
    tape.rmsNorm(x, x, weight, 1e-6);
    expect(() => tape.matmul(y, x, weight as unknown as Weight)).toThrow();
    expect(() => tape.rmsNorm(y, y, gradient, Number.NaN)).toThrow("eps must be > 0");
    tape.cancel();
    be.scale(gradient, gradient, 0);
    step();
    step();
    expect(await be.read(gradient)).toEqual(wanted);
    expect(tape.scratchBytes).toBe(bytes);
  });

  test("a recording that is dropped leaves nothing behind", async () => {
    const { tape, weight, gradient, buffer } = setUp();
    const x = buffer();
    tape.begin({ checkpoints: true });
    tape.checkpoint(x, true);
    tape.rmsNorm(x, x, weight, 1e-6);
    tape.cancel();
    tape.begin();
    tape.backward();
    expect(await be.read(gradient)).toEqual(new Float32Array(D));
    tape.freeScratch();
    expect(tape.scratchBytes).toBe(0);
  });
});

describe("refuses", () => {
  test("activations whose memory it does not know", () => {
    const { tape, random, weight, buffer } = setUp();
    tape.begin();
    expect(() => tape.rmsNorm(buffer(), random([T, D]), weight, 1e-6)).toThrow("made by the tape");
    tape.cancel();
  });

  test("a soft cap on the way to a gradient", () => {
    const { tape, weight, buffer } = setUp();
    const x = buffer();
    tape.begin();
    tape.softCap(x, 30);
    tape.rmsNorm(x, x, weight, 1e-6);
    expect(() => tape.softCap(x, 30)).toThrow("softCap must not be on the way to a gradient");
    tape.cancel();
  });

  test("attention to keys of another step, or that were overwritten", () => {
    const { tape, buffer } = setUp();
    const cache = be.kvCache({ dtype: "f32", kvHeads: 1, headDim: D, layerGroups: [0], groupPages: [1] });
    const table = be.tensor("i32", [1, 1]);
    const plan = { positions: ints([0, 1, 2, 3]), sequences: ints([0, 0, 0, 0]), pageTables: [table] };
    const [q, k, v, out] = [buffer(), buffer(), buffer(), buffer()];
    const attend = () => tape.attention(out, q, cache, 0, plan, { scale: 1, softCap: null, window: null });
    tape.begin();
    expect(attend).toThrow("must follow writeKv");
    tape.writeKv(cache, 0, k, v, plan);
    attend();
    tape.add(k, k, v);
    expect(attend).toThrow("still in their tensors");
    tape.cancel();
    attend(); // no recording
  });

  test("to read across a checkpoint", () => {
    const { tape, weight, buffer } = setUp();
    const [x, y, z] = [buffer(), buffer(), buffer()];
    tape.begin({ checkpoints: true });
    tape.rmsNorm(y, x, weight, 1e-6);
    tape.checkpoint(x, false);
    tape.rmsNorm(z, x, weight, 1e-6);
    tape.add(x, x, z);
    expect(() => tape.add(x, x, y)).toThrow("must not read what was computed before it");
    tape.cancel();
  });

  test("to begin twice", () => {
    const { tape } = setUp();
    tape.begin();
    expect(() => tape.begin()).toThrow("begin must come after backward or cancel");
  });
});
