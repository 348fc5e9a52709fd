import {
  K_ADD,
  K_ATTENTION,
  K_BLOCK_MAXIMA,
  K_BLOCK_SUMS,
  K_EMBED,
  K_GATED_MATMUL,
  K_GATHER_ROWS,
  K_GEGLU,
  K_LORA_DELTA,
  K_MATMUL,
  K_MERGE_ATTENTION,
  K_PACK,
  K_PREPARE_X,
  K_PRODUCT,
  K_RMS_NORM,
  K_ROPE,
  K_SOFT_CAP,
  K_WRITE_KV,
  K_SCATTER_ADD,
  K_RMS_FACTORS,
  K_RMS_WEIGHT_BACKWARD,
  K_RMS_BACKWARD,
  K_MATMUL_BACKWARD,
  K_ATTENTION_BACKWARD_QUERIES,
  K_ATTENTION_BACKWARD_KEYS,
  K_GEGLU_BACKWARD,
  K_LOGIT_SLOPES,
  K_DROPOUT,
  K_ADAM_W,
  K_SUM_SQUARES,
  K_SCALE,
  K_ROUND,
  K_SCREEN,
  K_REFINE,
  K_SOME_PANELS,
} from "../layout";
import { add } from "./add";
import { attention } from "./attention";
import { embed } from "./embed";
import { gatedMatmul } from "./gated-matmul";
import { gatherRows } from "./gather-rows";
import { geglu } from "./geglu";
import { loraDelta } from "./lora-delta";
import { blockMaxima, blockSums } from "./logits";
import { matmul } from "./matmul";
import { mergeAttention } from "./merge-attention";
import { pack } from "./pack";
import { prepareX } from "./prepare-x";
import { productRows } from "./product";
import { rmsNorm } from "./rms-norm";
import { rope } from "./rope";
import { softCap } from "./soft-cap";
import { writeKv } from "./write-kv";
import { scatterAdd } from "./scatter-add";
import { rmsFactors, rmsWeightBackward, rmsBackward } from "./rms-norm-backward";
import { matmulBackward } from "./matmul-backward";
import { attentionBackwardQueries, attentionBackwardKeys } from "./attention-backward";
import { gegluBackward } from "./geglu-backward";
import { logitSlopes } from "./cross-entropy";
import { dropout } from "./dropout";
import { adamW } from "./adam-w";
import { sumSquares } from "./sum-squares";
import { scale } from "./scale";
import { roundHalves } from "./round";
import { refine, screen, somePanels } from "./screen";

/** Runs a kernel on items begin .. end. */
export function dispatch(kernel: u32, begin: u32, end: u32): void {
  switch (kernel) {
    case K_ADD: return add(begin, end);
    case K_GEGLU: return geglu(begin, end);
    case K_SOFT_CAP: return softCap(begin, end);
    case K_RMS_NORM: return rmsNorm(begin, end);
    case K_ROPE: return rope(begin, end);
    case K_GATHER_ROWS: return gatherRows(begin, end);
    case K_EMBED: return embed(begin, end);
    case K_PACK: return pack(begin, end);
    case K_PREPARE_X: return prepareX(begin, end);
    case K_MATMUL: return matmul(begin, end);
    case K_GATED_MATMUL: return gatedMatmul(begin, end);
    case K_WRITE_KV: return writeKv(begin, end);
    case K_ATTENTION: return attention(begin, end);
    case K_MERGE_ATTENTION: return mergeAttention(begin, end);
    case K_BLOCK_MAXIMA: return blockMaxima(begin, end);
    case K_BLOCK_SUMS: return blockSums(begin, end);
    case K_LORA_DELTA: return loraDelta(begin, end);
    case K_PRODUCT: return productRows(begin, end);
    case K_SCATTER_ADD: return scatterAdd(begin, end);
    case K_RMS_FACTORS: return rmsFactors(begin, end);
    case K_RMS_WEIGHT_BACKWARD: return rmsWeightBackward(begin, end);
    case K_RMS_BACKWARD: return rmsBackward(begin, end);
    case K_MATMUL_BACKWARD: return matmulBackward(begin, end);
    case K_ATTENTION_BACKWARD_QUERIES: return attentionBackwardQueries(begin, end);
    case K_ATTENTION_BACKWARD_KEYS: return attentionBackwardKeys(begin, end);
    case K_GEGLU_BACKWARD: return gegluBackward(begin, end);
    case K_LOGIT_SLOPES: return logitSlopes(begin, end);
    case K_DROPOUT: return dropout(begin, end);
    case K_ADAM_W: return adamW(begin, end);
    case K_SUM_SQUARES: return sumSquares(begin, end);
    case K_SCALE: return scale(begin, end);
    case K_ROUND: return roundHalves(begin, end);
    case K_SCREEN: return screen(begin, end);
    case K_REFINE: return refine(begin, end);
    case K_SOME_PANELS: return somePanels(begin, end);
    default: unreachable();
  }
}
