// npm start -- "a question"   sets up what is missing, then answers
// npm start                   a chat in a terminal; otherwise the question comes from standard input
import { fileURLToPath } from "node:url";
import { setupOrExit } from "./setup.mjs";

const main = new URL("../dist/cli/main.js", import.meta.url);
const args = process.argv.slice(2);

await setupOrExit();
const { DEFAULT_CHAT_MODEL } = await import(new URL("../dist/load/tuned.js", import.meta.url).href); // there by now
const answer = ["run", "--chat", "--model", DEFAULT_CHAT_MODEL, ...args];
const command = args.length === 0 && process.stdin.isTTY ? ["chat"] : answer;
process.argv = [process.execPath, fileURLToPath(main), ...command];
await import(main.href);
