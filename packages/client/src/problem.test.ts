import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { codes } from "./problem.ts";

test("the client knows every code that the API can answer", () => {
  const packages = join(import.meta.dirname, "../..");
  const sources = globSync("{core,api}/src/**/*.ts", { cwd: packages })
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(packages, file), "utf8"));
  const thrown = /(?:new VisibleError|super)\(\s*"\w+",\s*"([\w.]+)"/g;
  const quota = /"(quota\.\w+)"/g;
  const found = sources.flatMap((text) =>
    [...text.matchAll(thrown), ...text.matchAll(quota)].map(([, code]) => code!),
  );
  expect(found.length).toBeGreaterThan(10);
  expect([...new Set([...found, "internal"])].toSorted()).toEqual([...codes]);
});
