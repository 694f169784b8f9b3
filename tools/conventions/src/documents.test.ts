import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const documents = globSync("{README,CONTRIBUTING}.md").concat(globSync("docs/**/*.md"));
const pathInCode = /`((?:packages|infra|docs|bench|conventions|\.ci)\/[\w./-]+?)(?:#\w+)?`/g;
const link = /\]\((?!https?:|#)([^)#]+)/g;

test.each(documents)("every path that %s mentions exists", (file) => {
  const text = readFileSync(file, "utf8");
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/") + 1) : "";
  const missing = [
    ...[...text.matchAll(pathInCode)].map(([, path]) => path!),
    ...[...text.matchAll(link)].map(([, path]) => folder + path!),
  ].filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});

const named = /`((?:packages|infra)\/[\w./-]+\.ts)#(\w+)`/g;

test("every function that the architecture names is in the file it names", () => {
  const mentions = [...readFileSync("docs/architecture.md", "utf8").matchAll(named)];
  expect(mentions.length).toBeGreaterThan(10);
  const missing = mentions
    .filter(([, file, name]) => !new RegExp(`\\b${name}\\b`).test(readFileSync(file!, "utf8")))
    .map(([mention]) => mention);
  expect(missing).toEqual([]);
});
