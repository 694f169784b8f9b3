import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";

import { patiently } from "../../test/poll-options.ts";
import { deployTestFunctions } from "../../test/functions.ts";

const open: { remove(): Promise<void> }[] = [];

afterEach(async () => {
  for (const cloud of open.splice(0)) await cloud.remove();
});

async function start(given: Parameters<typeof deployTestFunctions>[0]) {
  const cloud = await deployTestFunctions(given);
  open.push(cloud);
  const answer = async (name: string) => {
    const result = await cloud.call(name);
    return result.kind === "ok" ? JSON.parse(result.payload.toString()) : result;
  };
  return { ...cloud, answer };
}

const reader = `import { word } from "./lib/word.ts"; export const handler = async () => word`;

test("a bundle is the module that SST would deploy", async () => {
  const { answer, folder, log } = await start({
    files: {
      "job.ts": `import kept from "./lib/kept.cjs"; import * as sharp from "sharp"
        function namedHandler() { return [kept, sharp.default, __dirname, typeof require, NAME, namedHandler.name] }
        export const handler = async () => namedHandler()`,
      "lib/kept.cjs": `module.exports = "common"`,
      "package.json": `{ "type": "module" }`,
      "node_modules/sharp/package.json": `{ "name": "sharp", "main": "index.js" }`,
      "node_modules/sharp/index.js": `module.exports = "installed"`,
    },
    sources: {
      job: {
        nodejs: {
          minify: true,
          banner: "/* ours */",
          esbuild: { define: { NAME: '"defined"' }, inject: ["x"] },
        },
      },
    },
  });
  const at = `${folder}/.data/functions/job/`;
  expect(await answer("job")).toEqual([
    "common",
    "installed",
    at,
    "function",
    "defined",
    "namedHandler",
  ]);
  const text = readFileSync(`${at}bundle.mjs`, "utf8");
  expect(text).toContain("topLevelCreateRequire");
  expect(text).toContain("/* ours */");
  expect(text).toContain("//# sourceMappingURL=bundle.mjs.map");
  expect(text).not.toContain("installed");
  expect(log.lines.join()).toContain("job: SST does not pass nodejs.esbuild.inject on to esbuild");
});

test("a split bundle runs, and old chunks are gone after the next start", async () => {
  const files = {
    "job.ts": `export const handler = async () => (await import("./lib/word.ts")).word`,
    "lib/word.ts": `export const word = "one"`,
  };
  const sources = { job: { nodejs: { splitting: true, minify: true } } };
  const first = await start({ files, sources });
  expect(await first.answer("job")).toBe("one");
  await first.stop();
  const again = await start({
    files: { ...files, "lib/word.ts": `export const word = "two"` },
    sources,
    root: first.folder,
  });
  expect(await again.answer("job")).toBe("two");
  const built = `${first.folder}/.data/functions/job`;
  const chunks = readdirSync(built).filter((name) => name.endsWith(".mjs"));
  expect(chunks.length).toBeGreaterThan(1);
  for (const name of chunks)
    expect(readFileSync(`${built}/${name}`, "utf8")).not.toContain('"one"');
});

test("what an installed package depends on is beside it, as npm installs it", async () => {
  const { answer } = await start({
    files: {
      "job.ts": `import { createRequire } from "node:module"; import name from "sharp"
        export const handler = async () => [name, createRequire(import.meta.url)("@img/addon")]`,
      "package.json": `{ "type": "module" }`,
      "node_modules/sharp/package.json": `{ "name": "sharp", "main": "index.js", "optionalDependencies": { "@img/addon": "1", "@img/addon-of-another-system": "1" } }`,
      "node_modules/sharp/index.js": `module.exports = "sharp"`,
      "node_modules/sharp/node_modules/@img/addon/package.json": `{ "name": "@img/addon", "main": "index.js" }`,
      "node_modules/sharp/node_modules/@img/addon/index.js": `module.exports = "addon"`,
    },
    sources: { job: {} },
  });
  expect(await answer("job")).toEqual(["sharp", "addon"]);
});

test("a bundle is reused when no input has changed, even if modification times have", async () => {
  const files = { "job.ts": reader, "lib/word.ts": `export const word = "one"` };
  const first = await start({ files });
  await first.ready;
  const built = statSync(`${first.folder}/.data/functions/job/bundle.mjs`).mtimeMs;
  await first.stop();
  utimesSync(`${first.folder}/lib/word.ts`, 1, 1);
  const again = await start({ files: { "job.ts": reader }, root: first.folder });
  expect(await again.answer("job")).toBe("one");
  expect(statSync(`${first.folder}/.data/functions/job/bundle.mjs`).mtimeMs).toBe(built);
  await again.stop();
  writeFileSync(`${first.folder}/lib/word.ts`, `export const word = "TWO"`);
  const changed = await start({ files: { "job.ts": reader }, root: first.folder });
  expect(await changed.answer("job")).toBe("TWO");
});

test("a saved file is live within two seconds, in the functions that import it and after calls in flight", async () => {
  const { answer, write, call, log } = await start({
    files: {
      "job.ts": `import { word } from "./lib/word.ts"; export const handler = async (event: any) => { await new Promise((r) => setTimeout(r, event.ms ?? 0)); return word }`,
      "other.ts": `let calls = 0; export const handler = async () => ++calls`,
      "lib/word.ts": `export const word = "one"`,
    },
    watch: true,
  });
  expect([await answer("job"), await answer("other")]).toEqual(["one", 1]);
  const inFlight = call("job", { ms: 600 });
  await sleep(50);
  const saved = performance.now();
  write("lib/word.ts", `export const word = "two"`);
  await expect.poll(() => answer("job"), patiently).toBe("two");
  expect(performance.now() - saved).toBeLessThan(2000);
  expect(await inFlight).toMatchObject({ kind: "ok", payload: Buffer.from('"one"') });
  expect(await answer("other")).toBe(2);
  expect(log.lines.join()).toMatch(/job: reloaded in \d+ ms/);
});

test("a build error is logged with its position, and the old code runs until the error is corrected", async () => {
  const { answer, write, folder, log } = await start({
    files: { "job.ts": reader, "lib/word.ts": `export const word = "one"` },
    watch: true,
  });
  expect(await answer("job")).toBe("one");
  write("lib/word.ts", `import { x } from "../new/x.ts"\nexport const word = x`);
  await expect
    .poll(() => log.lines.join(), patiently)
    .toMatch(/job does not build\n {2}lib\/word\.ts:1:18: Could not resolve "\.\.\/new\/x\.ts"/);
  expect(await answer("job")).toBe("one");
  mkdirSync(`${folder}/new`);
  write("new/x.ts", `export const x = "put right"`);
  await expect.poll(() => answer("job"), patiently).toBe("put right");
});

test("a call of a function that cannot be built returns the build error", async () => {
  const { answer } = await start({ files: { "job.ts": `export const handler = async () => {` } });
  expect(await answer("job")).toMatchObject({
    kind: "error",
    errorType: "Runtime.ImportModuleError",
    errorMessage: expect.stringMatching(/job does not build\n {2}job\.ts:1:\d+: /),
  });
});
