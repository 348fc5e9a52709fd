import type { Activations, TrainingOps } from "../../backend/backend.js";
import { Gradients } from "./gradients.js";
import { K_LOGIT_SLOPES, K_SOFT_CAP } from "./layout.js";
import { LogitRow } from "./logits.js";
import { f32Bits, type Machine } from "./machine.js";
import { ownTensor, ownWeight } from "./memory.js";
import { Products } from "./products.js";

const LOGIT_BYTES = 32 << 20; // of rows whose logits there are at a time
const MOST_ROWS = 128;
const SLOPES_BLOCK = 4096; //    as kernels/cross-entropy.ts has them
const CAP_GRAIN = 4096;

export function lossOps(machine: Machine, activations: Activations): Pick<TrainingOps, "crossEntropy"> {
  const products = new Products(machine, activations);
  const gradients = new Gradients(machine);
  return {
    crossEntropy(out, xTensor, headWeight, softCap, targetsTensor, weightsTensor) {
      const [x, head] = [ownTensor(machine, xTensor), ownWeight(machine, headWeight)];
      const [losses, dx] = [ownTensor(machine, out.losses), ownTensor(machine, out.dx)];
      const [targets, weights] = [ownTensor(machine, targetsTensor), ownTensor(machine, weightsTensor)];
      const [rows, width] = [x.shape[0]!, x.shape[1]!];
      const vocabulary = head.shape[0];
      const cap = f32Bits(softCap ?? 0);
      const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(LOGIT_BYTES / (4 * vocabulary))));
      gradients.clear(dx);
      for (let first = 0; first < rows; first += most) {
        const count = Math.min(rows - first, most);
        const at = 4 * first * width;
        const logits = machine.buffer("logits", 4 * count * vocabulary);
        products.runAt([logits], x.address + at, count, [head]);
        if (softCap !== null) machine.run(K_SOFT_CAP, count * vocabulary, CAP_GRAIN, [logits, cap]);
        const states = machine.buffer("loss states", 16 * most);
        for (let r = 0; r < count; r++) {
          const target = machine.integers(targets.address, rows)[first + r]!;
          const isKnown = target >= 0 && target < vocabulary;
          const row = new LogitRow(machine, logits + 4 * r * vocabulary, vocabulary);
          const sum = row.sumOfWeights(1);
          const loss = isKnown ? Math.log(sum) + row.max - row.values[target]! : 0;
          machine.floats(losses.address, rows)[first + r] = loss;
          const weight = isKnown ? machine.floats(weights.address, rows)[first + r]! : 0;
          machine.floats(states + 16 * r, 3).set([row.max, 1 / sum, weight]);
          machine.integers(states + 16 * r, 4)[3] = target;
        }
        const items = count * Math.ceil(vocabulary / SLOPES_BLOCK);
        machine.run(K_LOGIT_SLOPES, items, 2, [logits, vocabulary, cap, states]);
        gradients.throughWeight(dx.address + at, logits, count, head);
        if (out.dHead === null) continue;
        const dHead = ownTensor(machine, out.dHead).address;
        gradients.ofWeight(dHead, logits, x.address + at, [vocabulary, width], count);
      }
    },
  };
}
