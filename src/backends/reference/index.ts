import type { Backend, BackendFactory, BackendOptions } from "../../backend/backend.js";
import { GemmaError } from "../../base/errors.js";
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
import {
  f32,
  i32,
  makeTensor,
  makeView,
  makeWeight,
  own,
  ReferenceKvCache,
  ReferenceTensor,
  ReferenceWeight,
  writeTensor,
} from "./memory.js";
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

/** Plain TypeScript, f32 tensors, sums in float64: slow, and the definition of what every other backend computes. */
export const referenceBackend: BackendFactory = {
  name: "reference",
  available: async () => true,
  async create(options) {
    if (options.isa !== undefined && options.isa !== "js") {
      throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `reference: isa must be js, got ${options.isa}`);
    }
    return createReference(options);
  },
};

type Handle = ReferenceTensor | ReferenceWeight | ReferenceKvCache;

function createReference({ activations = "int8" }: BackendOptions): Backend {
  const handles = new Set<Handle>();
  let disposed = false;
  const product = matmul(activations);
  const keep = <Kind extends Handle>(make: () => Kind): Kind => {
    if (disposed) throw new GemmaError("ERR_DISPOSED", "reference: must not be used after dispose()");
    const handle = make();
    handles.add(handle);
    return handle;
  };
  const release = (handle: Handle) => {
    handle.storage.live = false;
    handles.delete(handle);
  };
  return {
    lacks: [],
    info: () => ({ name: "reference", isa: "js", threads: 1, activations }),
    tensor: (dtype, shape) => keep(() => makeTensor(dtype, shape)),
    view: (tensor, shape, start = 0) => makeView(tensor, shape, start),
    write: writeTensor,
    read: async (tensor) => (tensor.dtype === "f32" ? f32(tensor) : i32(tensor)).slice(),
    weight: (stored) => keep(() => makeWeight(stored)),
    packed: async () => {},
    kvCache: (layout) => keep(() => new ReferenceKvCache(layout)),
    free(handle) {
      if (handle instanceof ReferenceTensor) {
        if (!handle.isView) release(own(handle, ReferenceTensor));
      } else if (handle instanceof ReferenceWeight) {
        release(own(handle, ReferenceWeight));
      } else {
        release(own(handle, ReferenceKvCache));
      }
    },
    dispose() {
      disposed = true;
      for (const handle of handles) release(handle);
    },
    add,
    attention,
    chooseIds: chooseIds(activations),
    embed,
    gatedMatmul: gatedMatmul(product),
    gatherRows,
    geglu,
    logProbs,
    loraDelta,
    matmul: product,
    matmuls: matmuls(product),
    rmsNorm,
    rope,
    sample,
    scoreIds: scoreIds(activations),
    softCap,
    writeKv,
    embedBackward,
    rmsNormBackward,
    matmulBackward,
    matmulWeightBackward,
    loraDeltaBackward,
    ropeBackward,
    attentionBackward,
    gegluBackward,
    gatherRowsBackward,
    crossEntropy: crossEntropy(activations),
    dropout,
    adamW,
    sumSquares,
    scale,
    packWeight,
  };
}
