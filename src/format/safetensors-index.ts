import { GemmaError } from "../base/errors.js";
import { parseJson } from "./json.js";
import { describeJson, expectObject, getObject } from "./json-read.js";
import { checkFileName } from "./safe-path.js";

/**
 * Reads a `model.safetensors.index.json`: tensor name to the name of the shard that has it, a plain file name in
 * the index's own folder. `metadata.total_size` is informative and not read.
 *
 * @throws ERR_PATH_ESCAPE when a shard's name is anything but a plain file name, ERR_MISSING_KEY, ERR_INVALID_TYPE,
 *   and what parseJson throws
 */
export function parseSafetensorsIndex(json: Uint8Array, where: string): ReadonlyMap<string, string> {
  const weightMap = getObject(expectObject(parseJson(json, where), where), "weight_map", where);
  const shards = new Map<string, string>();
  for (const [tensor, shard] of weightMap) {
    if (typeof shard !== "string") {
      throw new GemmaError(
        "ERR_INVALID_TYPE",
        `${where}: weight_map must name a file for ${tensor}, got ${describeJson(shard)}`,
      );
    }
    checkFileName(shard, `${where}: weight_map of ${tensor}`);
    shards.set(tensor, shard);
  }
  return shards;
}
