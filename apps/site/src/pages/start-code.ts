/** Commands and programs that the page shows: each works as it stands. */
export const START_CODE = {
  terminal: `npm start -- "Why is the sky blue?"
./gemma chat
./gemma eval --model gemma-3-270m --tasks piqa --limit 100 --out runs/piqa`,

  program: `import { Gemma } from "gemma-ts";

const gemma = await Gemma.load("gemma-3-270m");
for await (const piece of gemma.generate("Once upon a time", { maxTokens: 64 })) {
  process.stdout.write(piece);
}
await gemma.dispose();`,

  page: `import { Gemma, planModel } from "gemma-ts/web";

const plan = await planModel("gemma-3-270m"); // download and memory, before anything is fetched
const gemma = await Gemma.load("gemma-3-270m");
for await (const piece of gemma.chat().send("Why is the sky blue?")) {
  document.body.append(piece);
}`,

  tuning: `./gemma tune --data answers.jsonl --held-out-share 0.1 --out runs/answers
./gemma tune report --run runs/answers
./gemma tune merge --adapter runs/answers/adapter --out answers.gguf`,

  server: `./gemma serve
curl localhost:8080/v1/chat/completions -H "content-type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "Why is the sky blue?"}]}'`,
} as const;
