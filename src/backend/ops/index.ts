import type { Op } from "../op.js";
import { adamW } from "./adam-w.js";
import { add } from "./add.js";
import { attention } from "./attention.js";
import { attentionBackward } from "./attention-backward.js";
import { chooseIds } from "./choose-ids.js";
import { crossEntropy } from "./cross-entropy.js";
import { dropout } from "./dropout.js";
import { embed } from "./embed.js";
import { embedBackward } from "./embed-backward.js";
import { gatedMatmul } from "./gated-matmul.js";
import { gatherRows } from "./gather-rows.js";
import { gatherRowsBackward } from "./gather-rows-backward.js";
import { geglu } from "./geglu.js";
import { gegluBackward } from "./geglu-backward.js";
import { logProbs } from "./log-probs.js";
import { loraDelta } from "./lora-delta.js";
import { loraDeltaBackward } from "./lora-delta-backward.js";
import { matmul } from "./matmul.js";
import { matmulBackward } from "./matmul-backward.js";
import { matmulWeightBackward } from "./matmul-weight-backward.js";
import { matmuls } from "./matmuls.js";
import { packWeight } from "./pack-weight.js";
import { rmsNorm } from "./rms-norm.js";
import { rmsNormBackward } from "./rms-norm-backward.js";
import { rope } from "./rope.js";
import { ropeBackward } from "./rope-backward.js";
import { sample } from "./sample.js";
import { scale } from "./scale.js";
import { scoreIds } from "./score-ids.js";
import { softCap } from "./soft-cap.js";
import { sumSquares } from "./sum-squares.js";
import { writeKv } from "./write-kv.js";

/** What training adds. */
export const TRAINING_OPS: readonly Op<readonly unknown[], unknown>[] = [
  embedBackward,
  rmsNormBackward,
  matmulBackward,
  matmulWeightBackward,
  loraDeltaBackward,
  ropeBackward,
  attentionBackward,
  gegluBackward,
  gatherRowsBackward,
  crossEntropy,
  dropout,
  adamW,
  sumSquares,
  scale,
  packWeight,
];

/** Every contract, in the order of a step; those of training behind. */
export const OPS: readonly Op<readonly unknown[], unknown>[] = [
  embed,
  rmsNorm,
  matmul,
  matmuls,
  gatedMatmul,
  loraDelta,
  rope,
  writeKv,
  attention,
  add,
  geglu,
  gatherRows,
  softCap,
  logProbs,
  sample,
  chooseIds,
  scoreIds,
  ...TRAINING_OPS,
];
