import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { codeOf } from "./comments.ts";

const text = readFileSync("docs/threat-model.md", "utf8");

/** The rows of the tables that name tests: threat, answer, tests. */
const rows = text
  .split("\n## ")
  .filter((section) => section.includes("| threat | answer | test |"))
  .flatMap((section) => section.split("\n").filter((line) => /^\|(?! (?:threat|-)|-)/.test(line)));

/** A test: its file, and its title or a part of it. */
const NAMED = /`((?:packages|tools)\/[^`]+\.ts)` "([^"]+)"/g;

test("each threat names a test, and each named test exists", () => {
  expect(rows.length).toBeGreaterThan(40);
  const wrong = rows.flatMap((row) => {
    const named = [...row.split("|")[3]!.matchAll(NAMED)];
    if (named.length === 0) return [`no test: ${row}`];
    return named
      .filter(
        ([, path, title]) =>
          !existsSync(path!) || !codeOf(readFileSync(path!, "utf8")).includes(title!),
      )
      .map(([mention]) => mention);
  });
  expect(wrong).toEqual([]);
});
