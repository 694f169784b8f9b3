import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,infra,bench,conventions}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/.sst/**"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
