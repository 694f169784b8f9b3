import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { commentsOf } from "./comments.ts";

// Rules of plain words that a machine can check: in code the comments, messages and test titles, in documents everything.

const files = globSync("{packages,tools,infra,docs}/**/*.{ts,mjs,md}")
  .concat(globSync("*.{md,ts}"))
  .filter((file) => !file.includes("node_modules") && !file.endsWith("words.test.ts"));

type Rule = { name: string; pattern: RegExp; instead: string };
const rules: Rule[] = [
  {
    name: "section signs",
    pattern: /§/,
    instead: "name what is meant, or link to it",
  },
  {
    name: "labels of lists that are elsewhere",
    pattern: /(?<![\w/#"-])[GILW]\d{1,2}(?![\w/-])/,
    instead: "name the goal or the rule",
  },
  {
    name: "people who are clients, processes or files",
    pattern: /\b(?:whoever|nobody|somebody|he|him|his|himself)\b/i,
    instead: "name the client, the process or the file; it is an it",
  },
];

test.each(rules)("no file uses $name: $instead", ({ pattern }) => {
  const found = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
  expect(found).toEqual([]);
});

test("the files are found, and their comments are read", () => {
  expect(files.length).toBeGreaterThan(500);
  expect(commentsOf('const a = "// no"; // yes\n/** and this */')).toEqual([" yes", "* and this "]);
});
