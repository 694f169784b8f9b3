import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// A bundle as SST makes it, with the packages beside it that npm would install.

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "balde-load-sharp-"));
  await build({
    entryPoints: [join(import.meta.dirname, "load-sharp.ts")],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    format: "esm",
    bundle: true,
    splitting: true,
    external: ["sharp"],
    mainFields: ["module", "main"],
    banner: {
      js: "import { createRequire as create } from 'node:module'; const require = create(import.meta.url);",
    },
  });
  mkdirSync(join(folder, "node_modules"));
  link("sharp");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sharp = realpathSync(join(import.meta.dirname, "../node_modules/sharp"));

function link(name: string) {
  symlinkSync(join(dirname(sharp), name), join(folder, "node_modules", name), "junction");
}

/** Loads sharp in a new process, and returns a picture's width and the files of packages that were loaded. */
function load() {
  const program = `
    import { _cache } from "node:module";
    import { loadSharp } from ${JSON.stringify(join(folder, "load-sharp.mjs"))};
    const sharp = await loadSharp();
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: "red" } }).png().toBuffer();
    const { width } = await sharp(png).metadata();
    process.stdout.write(JSON.stringify({ width, files: Object.keys(_cache) }));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    // pnpm sets NODE_PATH, where each package would be found
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(out) as { width: number; files: string[] };
}

test("without the addon beside the bundle the installed sharp is loaded", () => {
  const { width, files } = load();
  expect(width).toBe(9);
  expect(files.some((file) => file.startsWith(join(sharp, "dist")))).toBe(true);
});

test("the bundle has sharp's JavaScript, and only the addon is read from packages", () => {
  link("@img");
  const { width, files } = load();
  expect(width).toBe(9);
  expect(files.filter((file) => !file.includes("/@img/sharp-"))).toEqual([]);
});
