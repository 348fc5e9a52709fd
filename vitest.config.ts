import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  test: {
    include: ["{src,apps,test}/**/*.test.ts", "{scripts,bench,recipes}/**/*.test.mjs"],
    pool: "forks",
    testTimeout: 30_000,
  },
});
