import { GemmaError } from "../../base/errors.js";
import { type ByteSource, checkRange } from "../../format/byte-source.js";
import type { SyncFile } from "./files.js";

/** What lib.dom leaves out: workers read Blobs at once. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A user's file, or a stored one: read in slices, never whole. In workers. */
export function blobSource(name: string, blob: Blob): ByteSource {
  const reader = new FileReaderSync();
  return {
    name,
    sizeBytes: blob.size,
    read(offset, length) {
      checkRange(name, blob.size, offset, length);
      try {
        return new Uint8Array(reader.readAsArrayBuffer(blob.slice(offset, offset + length)));
      } catch (cause) {
        throw new GemmaError("ERR_IO", `${name}: must stay as it was chosen, got ${String(cause)}`, {
          cause,
          hint: "the file was changed, moved or evicted while it was read; choose it, or load it, again",
        });
      }
    },
    close() {},
  };
}

/** A stored file that is open. */
export function syncFileSource(name: string, file: SyncFile): ByteSource {
  const sizeBytes = file.getSize();
  return {
    name,
    sizeBytes,
    read(offset, length, buffer) {
      checkRange(name, sizeBytes, offset, length);
      const bytes = buffer && length <= buffer.length ? buffer.subarray(0, length) : new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = file.read(bytes.subarray(done), { at: offset + done });
        if (count === 0) {
          const must = `must keep its ${sizeBytes} bytes while it is read`;
          throw new GemmaError("ERR_TRUNCATED", `${name}: ${must}, got an end at ${offset + done}`);
        }
        done += count;
      }
      return bytes;
    },
    close() {}, // whoever has opened it does: a load reads some files more than once
  };
}
