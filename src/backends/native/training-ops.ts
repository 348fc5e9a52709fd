import type { TrainingOps } from "../../backend/backend.js";
import { TRAINING_OPS } from "../../backend/unsupported.js";
import type { BackendHandle, NativeAddon } from "./addon.js";
import { ownTensor, ownWeight } from "./memory.js";

const HAS = ["matmulBackward"] as const satisfies readonly (keyof TrainingOps)[];
type Has = (typeof HAS)[number];

/** Operations of training that have no kernel yet. */
export const LACKS = TRAINING_OPS.filter((name): name is Exclude<keyof TrainingOps, Has> => name !== "matmulBackward");

/** Gradients and optimizer steps; see ops.ts. */
export function nativeTrainingOps(addon: NativeAddon, be: BackendHandle): Pick<TrainingOps, Has> {
  return {
    matmulBackward(dxTensor, dOutTensor, weight, accumulate) {
      const dx = ownTensor(be, dxTensor);
      const dOut = ownTensor(be, dOutTensor);
      const { handle } = ownWeight(be, weight);
      addon.matmulBackward(be, dOut.shape[0]!, accumulate, handle, dx.handle, dx.start, dOut.handle, dOut.start);
    },
  };
}
