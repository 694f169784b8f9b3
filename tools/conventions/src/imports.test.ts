import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";

// the bench installs packages of others below its folder
const sources = globSync("{packages,tools,infra}/**/*.ts").filter(
  (file) => !file.includes("node_modules"),
);
const starImport = /import (?:type )?\* as (\w+) from "((?:\.{1,2}\/|@balde\/)[^"]+)"/g;

const pascalCase = (path: string) =>
  basename(path)
    .replace(/(\.schema)?\.ts$|\.schema$/, "")
    .replaceAll(/(?:^|[-.])(\w)/g, (_, letter: string) => letter.toUpperCase());

test("a star import of our modules has the name of its file", () => {
  expect(sources.length).toBeGreaterThan(5);
  const misnamed = sources.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(starImport)]
      .filter(([, alias, path]) => alias !== pascalCase(path!))
      .map(([line]) => `${file}: ${line}`),
  );
  expect(misnamed).toEqual([]);
});

test("zod is imported with a star, so that a bundle contains only what is used", () => {
  const named = sources.filter((file) =>
    /import \{[^}]*\} from "zod/.test(readFileSync(file, "utf8")),
  );
  expect(named).toEqual([]);
});
