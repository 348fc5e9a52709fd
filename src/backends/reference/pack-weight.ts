import type { PackWeight } from "../../backend/ops/pack-weight.js";
import { roundToBf16 } from "../../base/bf16.js";
import { f16ToF32, f32ToF16 } from "../../base/f16.js";
import { f32, own, ReferenceWeight } from "./memory.js";

export const packWeight: PackWeight = (weight, values) => {
  const { data, dtype } = own(weight, ReferenceWeight);
  for (const [i, value] of f32(values).entries()) {
    data[i] = dtype === "BF16" ? roundToBf16(value) : dtype === "F16" ? f16ToF32(f32ToF16(value)) : value;
  }
};
