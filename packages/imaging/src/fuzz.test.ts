import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { random } from "../test/hostile/bytes.ts";
import type { Case } from "../test/hostile/case.ts";
import { validImages } from "../test/hostile/cases.ts";
import { createCaseRunner } from "../test/hostile/fuzzing.ts";
import { mutate } from "../test/hostile/mutate.ts";

// Valid images that were cut off, flipped and mutated, through ingest and delivery, in a process that may crash. A longer run:
// FUZZ_RUNS=100000 FUZZ_SEED=$RANDOM npx pnpm test packages/imaging/src/fuzz.test.ts
// FUZZ_PICTURES names a folder of files to mutate in addition. A failure names its seed.
const { FUZZ_RUNS: runs = "150", FUZZ_SEED: seed = "1", FUZZ_PICTURES: folder } = process.env;

const runner = createCaseRunner();
afterAll(() => runner.stop());

let valid: Record<string, Buffer>;
beforeAll(async () => {
  valid = await validImages();
});

test("a file that ends early is a refusal or a picture", { timeout: 600_000 }, async () => {
  const parts = Object.entries(valid).flatMap(([name, bytes]) =>
    [1, 3, 5, 7, 9].map((tenth): Case => [
      `${name}, ${tenth} tenths of it`,
      bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)),
    ]),
  );
  expect(await runner.problemsOf(parts, true)).toEqual([]);
});

test(
  `a file with a flipped bit is a refusal or a picture: ${2 * Number(runs)} bits, seed ${seed}`,
  { timeout: 2 ** 31 - 1 },
  async () => {
    const kinds = Object.entries(valid);
    const next = random(Number(seed));
    const flipped = Array.from({ length: 2 * Number(runs) }, (_, index): Case => {
      const [name, bytes] = kinds[index % kinds.length]!;
      const changed = Buffer.from(bytes);
      const at = Math.floor(next() * changed.length);
      const bit = Math.floor(next() * 8);
      changed[at]! ^= 1 << bit;
      return [`${name}, bit ${bit} of byte ${at}`, changed];
    });
    expect(await runner.problemsOf(flipped, true)).toEqual([]);
  },
);

test(
  `a mutated file is a refusal or a picture: ${runs} seeds from ${seed}`,
  { timeout: 2 ** 31 - 1 },
  async () => {
    const more = folder
      ? readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const)
      : [];
    const all = [...Object.entries(valid), ...more];
    const others = all.map(([, bytes]) => bytes);
    const first = Number(seed);
    function* mutated(): Iterable<Case> {
      for (let each = first; each < first + Number(runs); each++) {
        const [name, bytes] = all[each % all.length]!;
        yield [`${name}, seed ${each}`, mutate(bytes, others, each)];
      }
    }
    expect(await runner.problemsOf(mutated(), true)).toEqual([]);
  },
);
