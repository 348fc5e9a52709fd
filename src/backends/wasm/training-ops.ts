import type { Activations, TrainingOps } from "../../backend/backend.js";
import type { Tensor } from "../../backend/tensor.js";
import { mix64 } from "../../base/rng.js";
import { attentionBackwardOps } from "./attention-backward-ops.js";
import { Gradients } from "./gradients.js";
import {
  K_ADAM_W,
  K_DROPOUT,
  K_GEGLU_BACKWARD,
  K_LORA_DELTA,
  K_RMS_BACKWARD,
  K_RMS_FACTORS,
  K_RMS_WEIGHT_BACKWARD,
  K_SCATTER_ADD,
  K_SUM_SQUARES,
} from "./layout.js";
import { lossOps } from "./loss-ops.js";
import { f32Bits, f64Words, type Machine, u64Words } from "./machine.js";
import { ownTensor, ownWeight, type WasmTensor } from "./memory.js";
import { elementsOf, GRAIN, rotate, rowsOf } from "./ops.js";
import { RopeTables } from "./rope-tables.js";
import { repack } from "./weight.js";

const STRIP = 64; //             columns that are summed up together
const SQUARES_BLOCK = 16_384; // elements whose squares have one sum

/** Gradients and what an optimizer's step takes. */
export function wasmTrainingOps(machine: Machine, activations: Activations): TrainingOps {
  const own = (tensor: Tensor) => ownTensor(machine, tensor);
  const gradients = new Gradients(machine);
  const tables = new RopeTables(machine);

  const scatterAdd = (out: WasmTensor, rows: WasmTensor, indices: WasmTensor, scale: number) => {
    const [count, width] = [rowsOf(out), out.shape[1]!];
    const args = [out.address, rows.address, indices.address, rowsOf(rows), count, width, ...f64Words(scale)];
    machine.run(K_SCATTER_ADD, Math.ceil(width / STRIP), GRAIN / STRIP / (rowsOf(rows) + 1), args);
  };

  return {
    embedBackward: (dTable, dOut, ids, scale) => scatterAdd(own(dTable), own(dOut), own(ids), scale),

    gatherRowsBackward: (dx, dOut, rows) => scatterAdd(own(dx), own(dOut), own(rows), 1),

    rmsNormBackward(dxTensor, dWeight, dOutTensor, xTensor, weight, eps, accumulate) {
      const [dx, dOut, x, w] = [own(dxTensor), own(dOutTensor), own(xTensor), own(weight)];
      const [rows, width] = [rowsOf(x), x.shape[1]!];
      const dWeightAt = dWeight === null ? 0 : own(dWeight).address;
      const factors = machine.buffer("factors", 8 * rows);
      const options = [width, f32Bits(eps), accumulate ? 1 : 0, rows, factors];
      const args = [dx.address, dWeightAt, dOut.address, x.address, w.address, ...options];
      machine.run(K_RMS_FACTORS, rows, GRAIN / width, args);
      if (dWeight !== null) machine.run(K_RMS_WEIGHT_BACKWARD, Math.ceil(width / STRIP), 1, args);
      machine.run(K_RMS_BACKWARD, rows, GRAIN / width, args);
    },

    matmulBackward(dx, dOut, weight, accumulate) {
      if (!accumulate) gradients.clear(own(dx));
      gradients.throughWeight(own(dx).address, own(dOut).address, rowsOf(dOut), ownWeight(machine, weight));
    },

    matmulWeightBackward(dWeight, dOut, x) {
      gradients.ofWeight(own(dWeight).address, own(dOut).address, own(x).address, dWeight.shape, rowsOf(x));
    },

    loraDeltaBackward({ da, db, dx }, dOutTensor, xTensor, aTensor, bTensor, scale, accumulate) {
      const [dOut, x, a, b] = [own(dOutTensor), own(xTensor), own(aTensor), own(bTensor)];
      const [rows, columns] = [rowsOf(x), x.shape[1]!];
      const [width, rank] = [b.shape[0]!, b.shape[1]!];
      const inner = machine.buffer("inner", 4 * rows * rank); // scale · A x
      const args = [0, x.address, a.address, 0, inner, columns, 0, rank, f32Bits(scale)];
      machine.run(K_LORA_DELTA, rows, GRAIN / columns, args);
      const back = machine.buffer("back", 4 * rows * rank); // u = scale · Bᵀ dOut
      gradients.clearAt(back, rows * rank);
      const dOutBy = { address: dOut.address, row: 4 * width, term: 4 };
      gradients.product(back, dOutBy, { address: b.address, row: 4 * rank }, [rows, rank, width]);
      gradients.scale(back, back, rows * rank, scale);

      gradients.ofWeight(own(da).address, back, x.address, [rank, columns], rows);
      gradients.ofWeight(own(db).address, dOut.address, inner, [width, rank], rows);
      if (dx === null) return;
      if (!accumulate) gradients.clear(own(dx));
      const backBy = { address: back, row: 4 * rank, term: 4 };
      gradients.product(own(dx).address, backBy, { address: a.address, row: 4 * columns }, [rows, columns, rank]);
    },

    ropeBackward(dx, positions, options) {
      rotate(machine, tables, own(dx), own(positions), options, -1);
    },

    gegluBackward(dGate, dUp, dOut, gate, up) {
      const args = [dGate, dUp, dOut, gate, up].map((tensor) => own(tensor).address);
      machine.run(K_GEGLU_BACKWARD, elementsOf(dOut), GRAIN / 4, args);
    },

    dropout(out, x, { rate, seed }, first) {
      const factor = f32Bits(Math.fround(1 / (1 - rate)));
      const words = [...u64Words(mix64(BigInt(seed))), ...u64Words(BigInt(first)), ...f64Words(rate * 2 ** 32)];
      machine.run(K_DROPOUT, elementsOf(x), GRAIN, [own(out).address, own(x).address, factor, 0, ...words]);
    },

    adamW(parameter, { m, v }, gradient, o) {
      const decay = 1 - o.learningRate * o.weightDecay;
      const stepSize = o.learningRate / (1 - o.beta1 ** o.step);
      const correction = Math.sqrt(1 - o.beta2 ** o.step);
      const numbers = [o.beta1, o.beta2, o.eps, o.gradScale, decay, stepSize, correction].flatMap(f64Words);
      const tensors = [parameter, m, v, gradient].map((tensor) => own(tensor).address);
      machine.run(K_ADAM_W, elementsOf(parameter), GRAIN, [...tensors, ...numbers]);
    },

    sumSquares(out, x) {
      const count = elementsOf(x);
      const blocks = Math.ceil(count / SQUARES_BLOCK);
      const sums = machine.buffer("squares", 8 * blocks);
      machine.run(K_SUM_SQUARES, blocks, 1, [sums, own(x).address, count]);
      const total = new Float64Array(machine.memory.buffer, sums, blocks).reduce((a, b) => a + b, 0);
      machine.floats(own(out).address, 1)[0] = total;
    },

    scale(out, x, factor) {
      gradients.scale(own(out).address, own(x).address, elementsOf(x), factor);
    },

    packWeight(weight, values) {
      repack(machine, ownWeight(machine, weight), own(values).address);
    },

    ...attentionBackwardOps(machine),
    ...lossOps(machine, activations),
  };
}
