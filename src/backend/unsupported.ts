import { GemmaError } from "../base/errors.js";
import type { BackendName, TrainingOps } from "./backend.js";

/** What training needs of a backend. */
export const TRAINING_OPS = [
  "embedBackward",
  "rmsNormBackward",
  "matmulBackward",
  "matmulWeightBackward",
  "loraDeltaBackward",
  "ropeBackward",
  "attentionBackward",
  "gegluBackward",
  "gatherRowsBackward",
  "crossEntropy",
  "dropout",
  "adamW",
  "sumSquares",
  "scale",
  "packWeight",
] as const satisfies readonly (keyof TrainingOps)[];

/** Operations that a backend has no kernels for: each throws ERR_UNSUPPORTED_OP. */
export function unsupported<Name extends keyof TrainingOps>(
  backend: BackendName,
  names: readonly Name[],
): Pick<TrainingOps, Name> {
  const refuse = (name: Name) => () => {
    throw new GemmaError(
      "ERR_UNSUPPORTED_OP",
      `${backend}: ${name} must have a kernel, got none: it cannot train yet`,
      {
        hint: 'train with backend "reference"',
      },
    );
  };
  return Object.fromEntries(names.map((name) => [name, refuse(name)])) as unknown as Pick<TrainingOps, Name>;
}
