import type { Backend } from "../../backend/backend.js";
import { elementCount, type Tensor } from "../../backend/tensor.js";
import { GemmaError } from "../../base/errors.js";
import type { SafetensorsData } from "../../format/safetensors-write.js";
import type { TensorInfo } from "../../format/tensor-info.js";

/** Elements that pass through JavaScript at once. */
const SLICE = 1 << 22;

/** An f32 tensor of a backend as one of a safetensors file. */
export function tensorData(be: Backend, name: string, tensor: Tensor): SafetensorsData {
  return {
    name,
    dtype: "F32",
    shape: tensor.shape,
    async *data() {
      for (const part of slices(be, tensor)) {
        const values = await be.read(part.view);
        yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      }
    },
  };
}

/** The reverse. @throws ERR_MISSING_TENSOR, ERR_SHAPE_MISMATCH, ERR_INVALID_DTYPE, and what reading throws */
export function readTensor(
  be: Backend,
  tensor: Tensor,
  name: string,
  tensors: ReadonlyMap<string, TensorInfo>,
  where: string,
): void {
  const info = tensors.get(name);
  if (info === undefined)
    throw new GemmaError("ERR_MISSING_TENSOR", `${where}: ${name} must be present, got no such tensor`);
  if (info.dtype !== "F32")
    throw new GemmaError("ERR_INVALID_DTYPE", `${where}: ${name} must be F32, got ${info.dtype}`);
  if (info.shape.join() !== tensor.shape.join()) {
    throw new GemmaError("ERR_SHAPE_MISMATCH", `${where}: ${name} must be [${tensor.shape}], got [${info.shape}]`);
  }
  for (const { view, start, length } of slices(be, tensor)) {
    const bytes = info.source.read(info.offset + 4 * start, 4 * length);
    be.write(view, new Float32Array(bytes.slice().buffer)); // a copy is aligned
  }
}

function* slices(be: Backend, tensor: Tensor) {
  const count = elementCount(tensor.shape);
  for (let start = 0; start < count; start += SLICE) {
    const length = Math.min(SLICE, count - start);
    yield { view: be.view(tensor, [length], start), start, length };
  }
}
