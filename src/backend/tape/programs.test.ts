import { expect, test } from "vitest";
import { referenceBackend } from "../../backends/reference/index.js";
import { seededRng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import { checked } from "../checked.js";
import { Tape } from "../tape.js";
import type { Tensor, Weight } from "../tensor.js";
import { randomValues } from "../testing/case-tensors.js";
import { storedFloats } from "../testing/stored-weight.js";

// Programs of ops on three buffers and halves of them, in any order and in place: what overwrites, adds to and shares
// memory is tried in every combination. The gradients must be the slopes of the program.

const be = checked(await referenceBackend.create({ activations: "f32" }));

const [T, D] = [4, 8];

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

function floats(shape: readonly number[], values: Float32Array): Tensor {
  const tensor = be.tensor("f32", shape);
  be.write(tensor, values);
  return tensor;
}

function ints(values: readonly number[]): Tensor {
  const tensor = be.tensor("i32", [values.length]);
  be.write(tensor, Int32Array.from(values));
  return tensor;
}
