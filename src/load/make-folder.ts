import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it. Not mkdir's own `recursive`: Node loops for ever where the system will not make a
 * folder in one that exists and says ENOENT, as Linux does under /proc and in some automounted folders.
 */
export async function makeFolder(path: string): Promise<void> {
  const code = await tryMake(path);
  if (code !== "ENOENT" || dirname(path) === path) return;
  await makeFolder(dirname(path));
  if ((await tryMake(path)) === "ENOENT") await mkdir(path); // throws what is wrong
}

async function tryMake(path: string): Promise<"ENOENT" | "there"> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return code;
    if (code !== "EEXIST") throw error;
  }
  return "there"; // a file of this name is found out by whoever opens something in it
}
