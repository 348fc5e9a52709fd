import type { Activations, ForwardOps } from "../../backend/backend.js";
import type { Tensor, Weight } from "../../backend/tensor.js";
import { attentionOps } from "./attention-ops.js";
import { headOps } from "./head-ops.js";
import {
  K_ADD,
  K_EMBED,
  K_GATED_MATMUL,
  K_GATHER_ROWS,
  K_GEGLU,
  K_RMS_NORM,
  K_ROPE,
  K_SOFT_CAP,
  ROW_BLOCK,
} from "./layout.js";
import { loraOps } from "./lora-ops.js";
import { f32Bits, type Machine } from "./machine.js";
import { ownTensor, ownWeight, type WasmTensor } from "./memory.js";
import { Products } from "./products.js";
import { RopeTables } from "./rope-tables.js";

/** Elements of cheap operations that are worth waking a thread for. */
export const GRAIN = 16_384;

export function wasmOps(machine: Machine, activations: Activations): ForwardOps {
  const products = new Products(machine, activations);
  const tables = new RopeTables(machine);
  const own = (tensor: Tensor) => ownTensor(machine, tensor);
  const ownW = (weight: Weight) => ownWeight(machine, weight);

  return {
    embed(outTensor, table, idsTensor, scale) {
      const [out, ids, weight] = [own(outTensor), own(idsTensor), ownW(table)];
      const args = [out.address, weight.address, ids.address, f32Bits(scale)];
      machine.run(K_EMBED, rowsOf(out), GRAIN / 16 / weight.shape[1], args);
    },

    matmul(outTensor, xTensor, weight) {
      products.run([own(outTensor)], own(xTensor), [ownW(weight)]);
    },

    matmuls(outs, xTensor, weights) {
      products.run(outs.map(own), own(xTensor), weights.map(ownW));
    },

    gatedMatmul(outTensor, xTensor, wGate, wUp) {
      const [out, x, gate, up] = [own(outTensor), own(xTensor), ownW(wGate), ownW(wUp)];
      const rows = rowsOf(x);
      const prepared = products.prepare(x, [gate, up]);
      const items = gate.panels * Math.ceil(rows / ROW_BLOCK);
      const args = [rows, x.address, prepared, prepared === 0 ? 0 : 1, gate.address, up.address, out.address];
      machine.run(K_GATED_MATMUL, items, products.grain(items), args);
    },

    rmsNorm(outTensor, xTensor, weight, eps) {
      const [out, x, w] = [own(outTensor), own(xTensor), own(weight)];
      const width = x.shape[1]!;
      const args = [out.address, x.address, w.address, width, f32Bits(eps)];
      machine.run(K_RMS_NORM, rowsOf(x), GRAIN / width, args);
    },

    add(outTensor, aTensor, bTensor) {
      const [out, a, b] = [own(outTensor), own(aTensor), own(bTensor)];
      machine.run(K_ADD, elementsOf(out), GRAIN, [out.address, a.address, b.address]);
    },

    geglu(outTensor, gateTensor, upTensor) {
      const [out, gate, up] = [own(outTensor), own(gateTensor), own(upTensor)];
      machine.run(K_GEGLU, elementsOf(out), GRAIN / 4, [out.address, gate.address, up.address]);
    },

    softCap(xTensor, cap) {
      const x = own(xTensor);
      machine.run(K_SOFT_CAP, elementsOf(x), GRAIN / 4, [x.address, f32Bits(cap)]);
    },

    gatherRows(outTensor, xTensor, rowsTensor) {
      const [out, x, rows] = [own(outTensor), own(xTensor), own(rowsTensor)];
      const width = x.shape[1]!;
      const args = [out.address, x.address, rows.address, rowsOf(x), width];
      machine.run(K_GATHER_ROWS, rowsOf(out), GRAIN / width, args);
    },

    rope(xTensor, positionsTensor, options) {
      rotate(machine, tables, own(xTensor), own(positionsTensor), options, 1);
    },

    ...attentionOps(machine),
    ...headOps(machine, products),
    ...loraOps(machine),
  };
}

/** RoPE, or with -1 its inverse. */
export function rotate(
  machine: Machine,
  tables: RopeTables,
  x: WasmTensor,
  positions: WasmTensor,
  options: Parameters<RopeTables["anglesOf"]>[1],
  sign: 1 | -1,
): void {
  const rows = rowsOf(x);
  if (rows === 0) return;
  const [cosines, sines] = tables.anglesOf(machine.integers(positions.address, rows), options);
  const width = x.shape[1]!;
  const args = [x.address, width / options.headDim, options.headDim, cosines, sines, sign];
  machine.run(K_ROPE, rows, GRAIN / width, args);
}

export function rowsOf({ shape }: Tensor): number {
  return shape[0]!;
}

export function elementsOf({ shape }: Tensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
