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

/** Packages whose modules keep no state of a test: their test files share a worker process, which loads each module once. */
const shared = [
  "packages/{client,http,openapi}/**/*.test.ts",
  // worker-process.test.ts ends the child process that the module keeps
  "packages/imaging/**/!(worker-process).test.ts",
  "tools/{conventions,local-cloud,synth}/**/*.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", closingLine],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "isolated",
          include: ["{packages,tools}/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/.sst/**", ...shared],
        },
      },
      {
        extends: true,
        test: {
          name: "shared",
          include: shared,
          exclude: ["**/node_modules/**", "**/.sst/**"],
          isolate: false,
        },
      },
    ],
  },
});
