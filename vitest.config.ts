import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";

// the line that CI reads, whatever else was printed
const closingLine: Reporter = {
  onTestRunEnd(modules) {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string) => states.filter((each) => each === state).length;
    console.log(
      `\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`,
    );
  },
};

export default defineConfig({
  test: {
    reporters: ["default", closingLine],
    exclude: ["**/node_modules/**", "**/.sst/**"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    include: ["{packages,tools}/**/*.test.ts"],
  },
});
