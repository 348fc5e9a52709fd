import { afterEach, describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.js";
import { seededRng } from "../base/rng.js";
import type { Backend } from "./backend.js";
import { checked } from "./checked.js";
import { Tape } from "./tape.js";
import type { Tensor, Weight } from "./tensor.js";
import { randomValues } from "./testing/case-tensors.js";
import { storedFloats } from "./testing/stored-weight.js";

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

  test("a recording that is dropped leaves nothing behind", () => {
    const { tape, weight, gradient, buffer } = setUp();
    const x = buffer();
    tape.begin({ checkpoints: true });
    tape.checkpoint(x, true);
    tape.rmsNorm(x, x, weight, 1e-6);
    tape.cancel();
    tape.begin();
    tape.backward();
    expect(gradient).toBeDefined();
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

  test("to begin twice", () => {
    const { tape } = setUp();
    tape.begin();
    expect(() => tape.begin()).toThrow("begin must come after backward or cancel");
  });
});

// Programs of ops on three buffers and halves of them, in any order and in place: what overwrites, adds to and shares
// memory is tried in every combination. The gradients must be the slopes of the program.

type Step = (on: Backend, buffers: readonly Tensor[]) => void;

function randomProgram(seed: number, values: ReadonlyMap<string, Tensor | Weight>): Step[] {
  const rng = seededRng(seed);
  const norm = values.get("norm") as Tensor;
  const [a, b] = [values.get("a") as Tensor, values.get("b") as Tensor];
  const [w, table] = [values.get("w") as Weight, values.get("table") as Weight];
  const all = ints([0, 1, 2, 3]);
  const rows = { 2: ints([1, 0]), 4: ints([2, 2, 9, 0]) };
  const three = [0, 1, 2].map(
    (i): Step =>
      (on, x) =>
        on.embed(x[i]!, table, all, 1 + i),
  );
  const steps = Array.from({ length: 12 }, (): Step => {
    const count = rng.integer(3) === 0 ? 2 : T; // rows: a half, or all
    const half = rng.integer(2);
    const part = (on: Backend, x: Tensor) => on.view(x, [count, D], count === T ? 0 : half * count * D);
    const [i, j, k] = [rng.integer(3), rng.integer(3), rng.integer(3)];
    const other = (i + 1 + rng.integer(2)) % 3; // another buffer
    const kinds: readonly Step[] = [
      (on, x) => on.rmsNorm(part(on, x[i]!), part(on, x[j]!), norm, 1e-2),
      (on, x) => on.add(part(on, x[i]!), part(on, x[j]!), part(on, x[k]!)),
      (on, x) => on.geglu(part(on, x[i]!), part(on, x[j]!), part(on, x[k]!)),
      (on, x) => on.matmul(part(on, x[i]!), part(on, x[other]!), w),
      (on, x) => on.gatedMatmul(part(on, x[i]!), part(on, x[other]!), w, w),
      (on, x) => on.loraDelta(part(on, x[i]!), part(on, x[other]!), a, b, 0.5),
      (on, x) => on.gatherRows(part(on, x[i]!), x[other]!, count === T ? rows[4] : rows[2]),
      (on, x) => on.rope(part(on, x[i]!), on.view(all, [count]), { headDim: 4, theta: 10, scalingFactor: 1 }),
      (on, x) => on.embed(part(on, x[i]!), table, on.view(all, [count], T - count), 1),
    ];
    return kinds[rng.integer(kinds.length)]!;
  });
  const ends = [0, 1, 2].map(
    (i): Step =>
      (on, x) =>
        on.rmsNorm(x[i]!, x[i]!, norm, 1e-1),
  ); // values stay near 1
  return [...three, ...steps, ...ends];
}

test.each(Array.from({ length: 100 }, (_, seed) => seed))("program %i: gradients are its slopes", async (seed) => {
  const rng = seededRng(1000 + seed);
  const shapes = { norm: [D], a: [2, D], b: [D, 2], w: [D, D], table: [T, D] } as const;
  const values = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((product: number, dim) => product * dim, 1);
    return {
      name,
      tensor: floats(
        be,
        shape,
        randomValues(rng, count).map((value) => value / 2),
      ),
      shape,
    };
  });
  const handles = new Map<string, Tensor | Weight>(
    values.map(({ name, tensor, shape }) => [
      name,
      name === "w" || name === "table" ? be.weight(storedFloats([shape[0], shape[1]!], new Float32Array(64))) : tensor,
    ]),
  );
  const program = randomProgram(seed, handles);
  const factors = randomValues(rng, 3 * T * D);
  const compute = (on: Backend, buffers: readonly Tensor[]) => {
    for (const { name, tensor } of values) {
      const handle = handles.get(name)!;
      if ("sizeBytes" in handle) be.packWeight(handle, tensor);
    }
    for (const step of program) step(on, buffers);
  };

  const tape = new Tape(be);
  const buffers = [0, 1, 2].map(() => tape.tensor("f32", [T, D]));
  const loss = async () => {
    compute(be, buffers);
    let sum = 0;
    for (const [o, buffer] of buffers.entries()) {
      for (const [i, value] of (await be.read(buffer)).entries()) sum += value * factors[o * T * D + i]!;
    }
    return sum;
  };
  // What nothing trainable reaches has no gradient: any of the values may be frozen.
  const trained = values
    .filter(() => rng.integer(5) < 2)
    .map((value) => ({ ...value, gradient: be.tensor("f32", value.shape) }));
  for (const { name, gradient } of trained) tape.train(handles.get(name)!, gradient);
  tape.begin();
  compute(tape, buffers);
  for (const [o, buffer] of buffers.entries()) {
    be.write(tape.seed(buffer), factors.subarray(o * T * D, (o + 1) * T * D));
  }
  tape.backward();

  for (const { name, tensor, gradient } of trained) {
    const got = (await be.read(gradient)) as Float32Array;
    const before = (await be.read(tensor)) as Float32Array;
    const largest = got.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    for (let tries = 0; tries < 3; tries++) {
      const i = rng.integer(got.length);
      const at = async (offset: number) => {
        be.write(
          tensor,
          before.map((value, index) => (index === i ? value + offset : value)),
        );
        return loss();
      };
      const h = 1 / 128;
      const near = ((await at(h)) - (await at(-h))) / (2 * h);
      const far = ((await at(2 * h)) - (await at(-2 * h))) / (4 * h);
      be.write(tensor, before);
      expect(Math.abs(got[i]! - (4 * near - far) / 3) / largest, `${name}[${i}]`).toBeLessThan(5e-3);
    }
  }
  tape.freeScratch();
});
