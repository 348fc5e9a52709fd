import type { Backend } from "./backend.js";
import { adamW } from "./ops/adam-w.js";
import { add } from "./ops/add.js";
import { attention } from "./ops/attention.js";
import { attentionBackward } from "./ops/attention-backward.js";
import { chooseIds } from "./ops/choose-ids.js";
import { crossEntropy } from "./ops/cross-entropy.js";
import { dropout } from "./ops/dropout.js";
import { embed } from "./ops/embed.js";
import { embedBackward } from "./ops/embed-backward.js";
import { gatedMatmul } from "./ops/gated-matmul.js";
import { gatherRows } from "./ops/gather-rows.js";
import { gatherRowsBackward } from "./ops/gather-rows-backward.js";
import { geglu } from "./ops/geglu.js";
import { gegluBackward } from "./ops/geglu-backward.js";
import { logProbs } from "./ops/log-probs.js";
import { loraDelta } from "./ops/lora-delta.js";
import { loraDeltaBackward } from "./ops/lora-delta-backward.js";
import { matmul } from "./ops/matmul.js";
import { matmulBackward } from "./ops/matmul-backward.js";
import { matmulWeightBackward } from "./ops/matmul-weight-backward.js";
import { matmuls } from "./ops/matmuls.js";
import { packWeight } from "./ops/pack-weight.js";
import { rmsNorm } from "./ops/rms-norm.js";
import { rmsNormBackward } from "./ops/rms-norm-backward.js";
import { rope } from "./ops/rope.js";
import { ropeBackward } from "./ops/rope-backward.js";
import { sample } from "./ops/sample.js";
import { scale } from "./ops/scale.js";
import { scoreIds } from "./ops/score-ids.js";
import { softCap } from "./ops/soft-cap.js";
import { sumSquares } from "./ops/sum-squares.js";
import { writeKv } from "./ops/write-kv.js";

/** The same backend with each op's check before its dispatch. Allocates nothing a call. */
export function checked(be: Backend): Backend {
  return {
    embed(out, table, ids, scale) {
      embed.check(out, table, ids, scale);
      be.embed(out, table, ids, scale);
    },
    rmsNorm(out, x, weight, eps) {
      rmsNorm.check(out, x, weight, eps);
      be.rmsNorm(out, x, weight, eps);
    },
    add(out, a, b) {
      add.check(out, a, b);
      be.add(out, a, b);
    },
    matmul(out, x, weight) {
      matmul.check(out, x, weight);
      be.matmul(out, x, weight);
    },
    matmuls(outs, x, weights) {
      matmuls.check(outs, x, weights);
      be.matmuls(outs, x, weights);
    },
    gatedMatmul(out, x, wGate, wUp) {
      gatedMatmul.check(out, x, wGate, wUp);
      be.gatedMatmul(out, x, wGate, wUp);
    },
    loraDelta(out, x, a, b, scale) {
      loraDelta.check(out, x, a, b, scale);
      be.loraDelta(out, x, a, b, scale);
    },
    rope(x, positions, options) {
      rope.check(x, positions, options);
      be.rope(x, positions, options);
    },
    writeKv(cache, layer, k, v, plan) {
      writeKv.check(cache, layer, k, v, plan);
      be.writeKv(cache, layer, k, v, plan);
    },
    attention(out, q, cache, layer, plan, options) {
      attention.check(out, q, cache, layer, plan, options);
      be.attention(out, q, cache, layer, plan, options);
    },
    geglu(out, gate, up) {
      geglu.check(out, gate, up);
      be.geglu(out, gate, up);
    },
    softCap(x, cap) {
      softCap.check(x, cap);
      be.softCap(x, cap);
    },
    gatherRows(out, x, rows) {
      gatherRows.check(out, x, rows);
      be.gatherRows(out, x, rows);
    },
    logProbs(out, logits, targets) {
      logProbs.check(out, logits, targets);
      be.logProbs(out, logits, targets);
    },
    sample(out, logits, rows) {
      sample.check(out, logits, rows);
      be.sample(out, logits, rows);
    },
    chooseIds(out, x, head, softCap, rows) {
      chooseIds.check(out, x, head, softCap, rows);
      be.chooseIds(out, x, head, softCap, rows);
    },
    scoreIds(out, x, head, softCap, rows, ids) {
      scoreIds.check(out, x, head, softCap, rows, ids);
      be.scoreIds(out, x, head, softCap, rows, ids);
    },
    embedBackward(dTable, dOut, ids, scale) {
      embedBackward.check(dTable, dOut, ids, scale);
      be.embedBackward(dTable, dOut, ids, scale);
    },
    rmsNormBackward(dx, dWeight, dOut, x, weight, eps, accumulate) {
      rmsNormBackward.check(dx, dWeight, dOut, x, weight, eps, accumulate);
      be.rmsNormBackward(dx, dWeight, dOut, x, weight, eps, accumulate);
    },
    matmulBackward(dx, dOut, weight, accumulate) {
      matmulBackward.check(dx, dOut, weight, accumulate);
      be.matmulBackward(dx, dOut, weight, accumulate);
    },
    matmulWeightBackward(dWeight, dOut, x) {
      matmulWeightBackward.check(dWeight, dOut, x);
      be.matmulWeightBackward(dWeight, dOut, x);
    },
    loraDeltaBackward(out, dOut, x, a, b, scale, accumulate) {
      loraDeltaBackward.check(out, dOut, x, a, b, scale, accumulate);
      be.loraDeltaBackward(out, dOut, x, a, b, scale, accumulate);
    },
    ropeBackward(dx, positions, options) {
      ropeBackward.check(dx, positions, options);
      be.ropeBackward(dx, positions, options);
    },
    attentionBackward(out, dOut, q, k, v, queries, keys, options) {
      attentionBackward.check(out, dOut, q, k, v, queries, keys, options);
      be.attentionBackward(out, dOut, q, k, v, queries, keys, options);
    },
    gegluBackward(dGate, dUp, dOut, gate, up) {
      gegluBackward.check(dGate, dUp, dOut, gate, up);
      be.gegluBackward(dGate, dUp, dOut, gate, up);
    },
    gatherRowsBackward(dx, dOut, rows) {
      gatherRowsBackward.check(dx, dOut, rows);
      be.gatherRowsBackward(dx, dOut, rows);
    },
    crossEntropy(out, x, head, softCap, targets, weights) {
      crossEntropy.check(out, x, head, softCap, targets, weights);
      be.crossEntropy(out, x, head, softCap, targets, weights);
    },
    dropout(out, x, options, first) {
      dropout.check(out, x, options, first);
      be.dropout(out, x, options, first);
    },
    adamW(parameter, state, gradient, options) {
      adamW.check(parameter, state, gradient, options);
      be.adamW(parameter, state, gradient, options);
    },
    sumSquares(out, x) {
      sumSquares.check(out, x);
      be.sumSquares(out, x);
    },
    scale(out, x, factor) {
      scale.check(out, x, factor);
      be.scale(out, x, factor);
    },
    packWeight(weight, values) {
      packWeight.check(weight, values);
      be.packWeight(weight, values);
    },
    lacks: be.lacks,
    info: () => be.info(),
    tensor: (dtype, shape) => be.tensor(dtype, shape),
    view: (tensor, shape, start) => be.view(tensor, shape, start),
    write: (tensor, data) => be.write(tensor, data),
    read: (tensor) => be.read(tensor),
    weight: (stored, options) => be.weight(stored, options),
    packed: (weight) => be.packed(weight),
    kvCache: (layout) => be.kvCache(layout),
    free: (handle) => be.free(handle),
    dispose: () => be.dispose(),
  };
}
