// npm start -- "a question"   sets up what is missing, then answers
// npm start                   a chat in a terminal; otherwise the question comes from standard input
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setupOrExit } from "./setup.mjs";

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist/cli/main.js");
const args = process.argv.slice(2);
const command = args.length === 0 && process.stdin.isTTY ? ["chat"] : ["run", "--chat", ...args];

await setupOrExit();
process.argv = [process.execPath, main, ...command];
await import(pathToFileURL(main).href);
