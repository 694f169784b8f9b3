import { existsSync, globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";

import { codeOf, commentsOf } from "./comments.ts";

const notInstalled = (file: string) => !file.includes("node_modules");
const documents = globSync("*.md")
  .concat(globSync("{docs,packages,tools}/**/*.md"))
  .filter(notInstalled);
const sources = globSync("{packages,tools,infra}/**/*.{ts,mjs}").filter(notInstalled);

const read = (file: string) => readFileSync(file, "utf8");
const folderOf = (file: string) => file.slice(0, file.lastIndexOf("/") + 1);

/** The text of each document without its code blocks, the comments of each source. */
const texts = [
  ...documents.map((file) => ({ file, text: read(file).replaceAll(/^```[\s\S]*?^```/gm, "") })),
  ...sources.map((file) => ({ file, text: commentsOf(read(file)).join("\n") })),
];

const pathInText = /(?<![\w/.@-])((?:packages|tools|infra|docs|\.ci)\/[\w./-]*\w)(?:#(\w+))?/g;

test("every path from the root that a document or a comment mentions exists", () => {
  const missing = texts.flatMap(({ file, text }) =>
    [...text.matchAll(pathInText)]
      .filter(([, path]) => !existsSync(path!))
      .map(([mention]) => `${file}: ${mention}`),
  );
  expect(texts.length).toBeGreaterThan(500);
  expect(missing).toEqual([]);
});

test("every symbol that is named with its file is declared in that file", () => {
  const named = texts.flatMap(({ file, text }) =>
    [...text.matchAll(pathInText)]
      .filter(([, path, symbol]) => symbol && path!.endsWith(".ts"))
      .map(([mention, path, symbol]) => ({ file, mention, path: path!, symbol: symbol! })),
  );
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter(
    ({ path, symbol }) =>
      existsSync(path) &&
      !new RegExp(`\\b(?:function\\*?|const|class|type|let)\\s+${symbol}\\b`).test(read(path)),
  );
  expect(missing.map(({ file, mention }) => `${file}: ${mention}`)).toEqual([]);
});

test("a TypeScript file is run by the Node that the project installs", () => {
  // an older Node on the PATH does not run TypeScript
  const bare = [...texts, ...documents.map((file) => ({ file, text: read(file) }))].flatMap(
    ({ file, text }) =>
      [...text.matchAll(/(?<!exec )\bnode (?:packages|tools)\/\S+\.ts\b/g)].map(
        ([command]) => `${file}: ${command}`,
      ),
  );
  expect(bare).toEqual([]);
});

const link = /\]\((?!https?:|#)([^)#\s]+)/g;

test("every relative link of a document leads to a file", () => {
  const missing = documents.flatMap((file) =>
    [...read(file).matchAll(link)]
      .filter(([, path]) => !existsSync(folderOf(file) + path!))
      .map(([, path]) => `${file}: ${path}`),
  );
  expect(missing).toEqual([]);
});

const fileNames = new Set(
  [...sources, ...documents, ...globSync("*"), ...globSync("{packages,tools,infra,docs}/**/*.json")]
    .filter(notInstalled)
    .map((file) => basename(file)),
);
const fileName = /(?<![\w/.*<{}-])([a-z][\w.-]*\.(?:ts|mjs|md))\b/g;

test("every file that a comment calls by its name alone exists", () => {
  const missing = texts.flatMap(({ file, text }) =>
    [...text.matchAll(fileName)]
      .filter(([, name]) => !fileNames.has(name!))
      .map(([, name]) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

const identifiers = new Set(
  sources
    .concat(
      globSync("infra/stack.json"),
      globSync("tools/local-cloud/**/*.json").filter(notInstalled),
    )
    .flatMap((file) => codeOf(read(file)).match(/\w+/g) ?? []),
);
/** Examples of names, which comments mention and no code contains. */
const FOREIGN = new Set(["GetV1ImagesId", "exportedName", "BucketArgs"]);
const inBackticks = /`([A-Za-z_]\w*(?:[.#][A-Za-z_]\w*)*)(?:\(\))?`/g;
const isSymbol = (word: string) => /[a-z][A-Z]/.test(word);

test("every symbol that a comment or a document puts into backticks is in the code", () => {
  // its table of properties that are refused is compared with the provider by supported-resources.test.ts
  const others = texts.filter(({ file }) => file !== "docs/gateway.md");
  const missing = others.flatMap(({ file, text }) =>
    [...text.matchAll(inBackticks)]
      .flatMap(([, mention]) => mention!.split(/[.#]/))
      .filter((word) => isSymbol(word) && !identifiers.has(word) && !FOREIGN.has(word))
      .map((word) => `${file}: ${word}`),
  );
  expect(missing).toEqual([]);
});
