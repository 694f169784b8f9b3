import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { difference } from "../test/samples.ts";
import { examples, renderExample } from "./examples.ts";

const here = import.meta.dirname;
const readme = readFileSync(join(here, "../README.md"), "utf8");
const pictures = readdirSync(here).filter((file) => /\.(webp|jpg|png)$/.test(file));

test.each(Object.entries(examples))(
  "%s equals the picture that its query gives",
  async (file, [image, query]) => {
    const stored = readFileSync(join(here, file));
    const [expected, current] = await Promise.all([
      sharp(stored).metadata(),
      renderExample(image, query),
    ]);
    const { format, width, height } = await sharp(current).metadata();
    expect({ format, width, height }).toEqual({
      format: expected.format,
      width: expected.width,
      height: expected.height,
    });
    // another version of an encoder changes few values by one; a wrong picture changes many values
    expect(await difference(current, stored)).toBeLessThan(1.5);
  },
);

test("the README shows every example beside its query, and the folder has no other picture", () => {
  const missing = Object.entries(examples).filter(
    ([file, [, query]]) => !readme.includes(`\`${query}\` | ![${query}](examples/${file})`),
  );
  expect(missing).toEqual([]);
  expect(pictures.toSorted()).toEqual(Object.keys(examples).toSorted());
});

test("the example pictures are smaller than 300 kB together", () => {
  const bytes = pictures.map((file) => statSync(join(here, file)).size);
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(300_000);
});

test("the program in the README runs unchanged", () => {
  const [, program] = /```ts\n([\s\S]+?)```/.exec(readme)!;
  const folder = mkdtempSync(join(here, "tmp-"));
  try {
    const file = join(folder, "program.ts");
    writeFileSync(file, program!.replace(`"koi.avif"`, JSON.stringify(join(folder, "koi.avif"))));
    const output = execFileSync(process.execPath, [file], { encoding: "utf8" });
    expect(output).toMatch(/^[0-9a-f]{20} image\/avif 320 200\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
