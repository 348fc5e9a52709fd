import type { ForwardOps } from "../../backend/backend.js";
import { K_LORA_DELTA } from "./layout.js";
import { f32Bits, type Machine } from "./machine.js";
import { ownTensor } from "./memory.js";

const WORK = 65_536; // multiplications that are worth waking a thread for

export function loraOps(machine: Machine): Pick<ForwardOps, "loraDelta"> {
  return {
    loraDelta(outTensor, xTensor, aTensor, bTensor, scale) {
      const [out, x] = [ownTensor(machine, outTensor), ownTensor(machine, xTensor)];
      const [a, b] = [ownTensor(machine, aTensor), ownTensor(machine, bTensor)];
      const [rows, columns] = [x.shape[0]!, x.shape[1]!];
      const [width, rank] = [b.shape[0]!, b.shape[1]!];
      const inner = machine.buffer("inner", 4 * rows * rank);
      const args = [out.address, x.address, a.address, b.address, inner, columns, width, rank, f32Bits(scale)];
      machine.run(K_LORA_DELTA, rows, WORK / (rank * (columns + width) + 1), args);
    },
  };
}
