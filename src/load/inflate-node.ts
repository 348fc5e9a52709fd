import { pipeline, Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { GemmaError } from "../base/errors.js";

const PIECE_BYTES = 1 << 18;

/** Unpacks raw deflate data with Node's zlib, off this thread. @throws ERR_CHECKSUM; what reading `packed` throws */
export async function* inflateNode(packed: Iterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES });
  // The loop below learns of errors, and leaving it closes the pipe.
  pipeline(Readable.from(packed), inflate, () => {});
  try {
    for await (const piece of inflate) yield piece as Uint8Array;
  } catch (cause) {
    if (!/^Z_/.test(String((cause as NodeJS.ErrnoException).code))) throw cause;
    throw new GemmaError("ERR_CHECKSUM", `${where}: must be whole deflate data, got damaged data`, { cause });
  }
}
