import { rm } from "node:fs/promises";
import { join } from "node:path";
import { foreignFormatError, SNIFF_BYTES, sniffFormat } from "../../format/sniff.js";
import { downloadFile } from "../download.js";
import { fileSource } from "../file-source.js";
import { isFileName } from "../names.js";
import { describeUrl, type Spec } from "../spec.js";
import type { Expectation, Fetched, SourceContext } from "./source.js";

/** A GGUF file at a public https address. */
export async function fetchHttps(
  spec: Extract<Spec, { kind: "https" }>,
  expected: Expectation,
  context: SourceContext,
): Promise<Fetched> {
  const origin = describeUrl(spec.url);
  const sha256 = expected.file?.sha256 ?? spec.sha256;
  const witness = expected.file !== undefined ? "catalogue" : spec.sha256 !== undefined ? "given" : "none";
  const name = expected.file?.name ?? ggufName(spec.url);
  const path = join(context.folder, name);
  const file = await downloadFile(context.net, spec.url, path, {
    ...context,
    sha256,
    sizeBytes: expected.file?.sizeBytes,
    allowHost: () => true, // any host with a public address: the user named it
  });
  await expectGguf(path, origin);
  return { files: [{ name, ...file, checkedAgainst: witness }], origin };
}

function ggufName(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  return isFileName(last) && last.endsWith(".gguf") ? last : "model.gguf";
}

/** Login pages and error pages come with status 200 too. @throws the errors of foreignFormatError */
export async function expectGguf(path: string, origin: string): Promise<void> {
  const source = fileSource(path);
  const found = sniffFormat(source.read(0, Math.min(SNIFF_BYTES, source.sizeBytes)));
  source.close();
  if (found === "gguf") return;
  await rm(path);
  throw foreignFormatError(found, origin, "a GGUF file");
}
