import { defineConfig } from "vitest/config";
import { wgslPlugin } from "./scripts/lib/wgsl.mjs";

export default defineConfig({
  plugins: [wgslPlugin()],
  resolve: { conditions: ["source"] },
  test: {
    include: ["{src,apps,test}/**/*.test.ts", "{scripts,bench,recipes}/**/*.test.mjs"],
    pool: "forks",
    testTimeout: 30_000,
  },
});
