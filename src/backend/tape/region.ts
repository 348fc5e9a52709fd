import { GemmaError } from "../../base/errors.js";
import { elementCount, type Tensor } from "../tensor.js";

/** Elements [start, end) of a tensor that owns its memory. */
export interface Region {
  readonly owner: Tensor;
  readonly start: number;
  readonly end: number;
}

export function overlaps(a: Region, b: Region): boolean {
  return a.owner === b.owner && a.start < b.end && b.start < a.end;
}

export function isSame(a: Region, b: Region): boolean {
  return a.owner === b.owner && a.start === b.start && a.end === b.end;
}

/** Which memory each tensor of a tape is. */
export class Regions {
  private readonly known = new WeakMap<Tensor, Region>();

  own(tensor: Tensor): Tensor {
    this.known.set(tensor, { owner: tensor, start: 0, end: elementCount(tensor.shape) });
    return tensor;
  }

  /** `view` begins at element `start` of `tensor`. Views of what the tape did not make stay unknown. */
  view(view: Tensor, tensor: Tensor, start: number): Tensor {
    const parent = this.known.get(tensor);
    if (parent === undefined) return view;
    const first = parent.start + start;
    this.known.set(view, { owner: parent.owner, start: first, end: first + elementCount(view.shape) });
    return view;
  }

  /** @throws ERR_BACKEND for a tensor that was made without the tape: nobody knows then what shares its memory */
  of(tensor: Tensor): Region {
    const region = this.known.get(tensor);
    if (region !== undefined) return region;
    throw new GemmaError("ERR_BACKEND", "tape: activations must be tensors and views made by the tape, got another", {
      hint: "give the tape, not the backend below it, to ScratchPool and forward",
    });
  }
}
