import { Inflate } from "fflate";
import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "./byte-source.js";

// Deflate grows data at most 1032 times, so that a step of 16 KiB makes at most 16 MiB before sizes are checked again.
const STEP_BYTES = 16 * 1024;

/**
 * Unpacks the deflate stream in [offset, offset + length) of a source, piece by piece. Sizes and checksums are the
 * caller's to check.
 * @throws ERR_CHECKSUM when it is no whole deflate stream
 */
export function* inflateRange(
  source: ByteSource,
  offset: number,
  length: number,
  where: string,
): Generator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const inflate = new Inflate((piece) => pieces.push(piece));
  let done = 0;
  do {
    const step = Math.min(STEP_BYTES, length - done);
    const packed = source.read(offset + done, step);
    done += step;
    try {
      inflate.push(packed, done === length);
    } catch (cause) {
      throw new GemmaError("ERR_CHECKSUM", `${where}: must be whole deflate data, got damaged data`, { cause });
    }
    yield* pieces.splice(0);
  } while (done < length);
}
