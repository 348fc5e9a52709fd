import { GemmaError } from "../base/errors.js";

export type SniffedFormat =
  | "gguf"
  | "safetensors"
  | "pickle"
  | "zip"
  | "gzip"
  | "hdf5"
  | "git-lfs-pointer"
  | "html"
  | "unknown";

/** How many bytes sniffFormat wants to see; fewer are fine. */
export const SNIFF_BYTES = 512;

/** Tells a file's format by its first bytes. A ZIP with a pickle inside (PyTorch's .bin, .pt) is "pickle". */
export function sniffFormat(bytes: Uint8Array): SniffedFormat {
  const text = String.fromCharCode(...bytes.subarray(0, SNIFF_BYTES)); // one character a byte
  if (text.startsWith("GGUF")) return "gguf";
  if (text.startsWith("PK\x03\x04")) return isPickleZip(text) ? "pickle" : "zip";
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) return "pickle"; // opcode PROTO, protocol 2 to 5
  if (text.startsWith("\x1f\x8b")) return "gzip";
  if (text.startsWith("\x89HDF\r\n\x1a\n")) return "hdf5";
  if (text.startsWith("version https://git-lfs")) return "git-lfs-pointer";
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)/i.test(text)) return "html";
  // A header length below 2^32 (100 MB is the limit), then the header's brace.
  if (text.slice(4, 9) === "\0\0\0\0{") return "safetensors";
  return "unknown";
}

/** The first entry of a ZIP by torch.save is NAME/data.pkl; its name begins at byte 30. */
function isPickleZip(text: string): boolean {
  const nameLength = text.charCodeAt(26) | (text.charCodeAt(27) << 8);
  return text.slice(30, 30 + nameLength).endsWith(".pkl");
}

/**
 * The error for a file that is not what it should be.
 * @param wanted for the message: `a GGUF or safetensors file`
 * @returns ERR_FORBIDDEN_FORMAT for a pickle, ERR_INVALID_HEADER for a Git LFS pointer or a web page in the file's
 *   place, ERR_BAD_MAGIC for the rest
 */
export function foreignFormatError(format: SniffedFormat, where: string, wanted: string): GemmaError {
  const must = `${where}: must be ${wanted}`;
  switch (format) {
    case "pickle":
      return new GemmaError(
        "ERR_FORBIDDEN_FORMAT",
        `${must}, got a PyTorch pickle, which can run code when it is read; refused`,
        { hint: "use the model's .safetensors or .gguf file" },
      );
    case "git-lfs-pointer":
      return new GemmaError("ERR_INVALID_HEADER", `${must}, got a Git LFS pointer (the file itself was not fetched)`, {
        hint: "git lfs pull",
      });
    case "html":
      return new GemmaError("ERR_INVALID_HEADER", `${must}, got a web page`, {
        hint: "download the file again: a login or error page was saved in its place",
      });
    case "unknown":
      return new GemmaError("ERR_BAD_MAGIC", `${must}, got an unknown format`);
    default:
      return new GemmaError("ERR_BAD_MAGIC", `${must}, got ${format}`);
  }
}
