import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const sources = globSync("{packages/{core,imaging,client,http},tools/synth}/src/**/*.ts")
  .concat("tools/local-cloud/src/cloud.ts")
  .filter((file) => !/\.(?:test|test-d|fixture)\.ts$/.test(file));

/** An exported function, also one that is a constant: an arrow function or the result of `fn(…)`. */
const FUNCTION =
  /^export (?:async )?(?:function\*? (\w+)|const (\w+)(?::[^=]+)? = (?:async )?(?:\(|<|fn\(|\w+ =>))/;

test("every exported function has a docstring", () => {
  const missing = sources.flatMap((file) => {
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.flatMap((line, index) => {
      const name = FUNCTION.exec(line)?.slice(1).find(Boolean);
      if (!name) return [];
      const before = lines[index - 1]?.trimEnd() ?? "";
      // an overload is documented above the first signature
      const isOverload = before.startsWith(`export function ${name}(`) || before.endsWith(";");
      const isDocumented =
        before.endsWith("*/") ||
        (isOverload &&
          lines
            .slice(0, index)
            .some(
              (each, at) =>
                FUNCTION.exec(each)?.[1] === name && lines[at - 1]?.trimEnd().endsWith("*/"),
            ));
      return isDocumented ? [] : [`${file}:${index + 1} ${name}`];
    });
  });
  expect(sources.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});
