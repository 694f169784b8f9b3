import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { difference } from "../test/samples.ts";
import { examples, made } from "./examples.ts";

const here = import.meta.dirname;
const readme = readFileSync(join(here, "../README.md"), "utf8");
const pictures = readdirSync(here).filter((file) => /\.(webp|jpg|png)$/.test(file));

test.each(Object.entries(examples))(
  "%s is what its query makes today",
  async (file, [picture, query]) => {
    const shown = readFileSync(join(here, file));
    const [old, now] = await Promise.all([sharp(shown).metadata(), made(picture, query)]);
    const { format, width, height } = await sharp(now).metadata();
    expect({ format, width, height }).toEqual({
      format: old.format,
      width: old.width,
      height: old.height,
    });
    // another version of an encoder moves a few values by one; another picture moves many by many
    expect(await difference(now, shown)).toBeLessThan(1.5);
  },
);

test("the README shows every example beside its query, and no other picture", () => {
  const missing = Object.entries(examples).filter(
    ([file, [, query]]) => !readme.includes(`\`${query}\` | ![${query}](examples/${file})`),
  );
  expect(missing).toEqual([]);
  expect(pictures.toSorted()).toEqual(Object.keys(examples).toSorted());
});

test("all of them together are small enough for every clone", () => {
  const bytes = pictures.map((file) => statSync(join(here, file)).size);
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(300_000);
});

test("the README's program runs as it stands", () => {
  const [, program] = /```ts\n([\s\S]+?)```/.exec(readme)!;
  const folder = mkdtempSync(join(here, "tmp-"));
  try {
    const file = join(folder, "program.ts");
    writeFileSync(file, program!.replace(`"koi.avif"`, JSON.stringify(join(folder, "koi.avif"))));
    const said = execFileSync(process.execPath, [file], { encoding: "utf8" });
    expect(said).toMatch(/^[0-9a-f]{20} image\/avif 320 200\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
