import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { random } from "../test/hostile/bytes.ts";
import { type Case, honest, hostile } from "../test/hostile/cases.ts";
import { mutate } from "../test/hostile/mutate.ts";
import { type Outcome, createOrdeal } from "../test/fuzz-process.ts";
import { MAX_HELD_MEGABYTES } from "./limits.ts";

// Bytes from people who mean harm, and from broken cameras: through both doors, in a process that may die of them.

const ordeal = createOrdeal();
afterAll(() => ordeal.stop());

/** Of one processor, at one door. */
const MAX_CPU_MS = 10_000;

let valid: Record<string, Buffer>;
let cases: Case[];
beforeAll(async () => {
  valid = await honest();
  cases = hostile(valid);
});

/** What is wrong with what came of some bytes, for a person to read; undefined when nothing is. */
function fault(outcome: Outcome, code?: string): string | undefined {
  const { kind, cpu, megabytes, slowest, detail } = outcome;
  const seen = `${kind} ${outcome.code} ${detail}`.trim();
  if (kind !== "picture" && kind !== "refusal") return seen;
  if (code !== undefined && outcome.code !== code) return `${seen}, where ${code} is right`;
  if (kind === "refusal" && !/^image\.[a-z_]+$/.test(outcome.code)) return `${seen}: not a code`;
  if (cpu > MAX_CPU_MS) return `${seen} after ${cpu} ms of ${slowest}`;
  if (megabytes > MAX_HELD_MEGABYTES) return `${seen} with ${megabytes} MB held`;
  return undefined;
}

/** All that is wrong in a list of cases: each is tried, so that one run tells everything. */
async function faults(cases: Iterable<Case>, isQuick = false): Promise<string[]> {
  const found: string[] = [];
  for (const [name, bytes, code] of cases) {
    const wrong = fault(await ordeal.undergo(bytes, isQuick), code);
    if (wrong) found.push(`${name}: ${wrong}`);
  }
  return found;
}

test("honest pictures of every kind pass", async () => {
  for (const [name, bytes] of Object.entries(valid))
    expect([name, (await ordeal.undergo(bytes)).kind]).toEqual([name, "picture"]);
});

const families = ["PNG", "JPEG", "GIF", "WebP", "TIFF", "AVIF", "SVG", "other"];
const familyOf = (name: string) => {
  const first = families.find((family) =>
    name.replace(/^(moving|progressive) /, "").startsWith(`${family} `),
  );
  return first ?? "other";
};

test.each(families)(
  "hostile files end as a picture or as a refusal: %s",
  { timeout: 600_000 },
  async (family) => {
    const mine = cases.filter(([name]) => familyOf(name) === family);
    expect(mine.length).toBeGreaterThan(10);
    expect(await faults(mine)).toEqual([]);
  },
);

test(
  "cut off at every tenth of its length, each is a refusal or a picture",
  { timeout: 600_000 },
  async () => {
    const parts = Object.entries(valid).flatMap(([name, bytes]) =>
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth): Case => [
        `${name}, ${tenth} tenths of it`,
        bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)),
      ]),
    );
    expect(await faults(parts, true)).toEqual([]);
  },
);

test(
  "with bits flipped at a thousand places, each is a refusal or a picture",
  { timeout: 600_000 },
  async () => {
    const kinds = Object.entries(valid);
    const next = random(1);
    const flipped = Array.from({ length: 1000 }, (_, index): Case => {
      const [name, bytes] = kinds[index % kinds.length]!;
      const bad = Buffer.from(bytes);
      const at = Math.floor(next() * bad.length);
      const bit = Math.floor(next() * 8);
      bad[at]! ^= 1 << bit;
      return [`${name}, bit ${bit} of byte ${at}`, bad];
    });
    expect(await faults(flipped, true)).toEqual([]);
  },
);

// By hand, for as long as you like: FUZZ_RUNS=100000 FUZZ_SEED=$RANDOM npx pnpm test packages/imaging/src/hostile.test.ts -t fuzzed
// FUZZ_PICTURES names a folder of files to bend besides our own. What is found names its seed.
const { FUZZ_RUNS: runs = "300", FUZZ_SEED: seed = "1", FUZZ_PICTURES: folder } = process.env;

test(
  `fuzzed with ${runs} seeds from ${seed}, each is a refusal or a picture`,
  { timeout: 2 ** 31 - 1 },
  async () => {
    const more = folder
      ? readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const)
      : [];
    const all = [...Object.entries(valid), ...more];
    const others = all.map(([, bytes]) => bytes);
    const first = Number(seed);
    function* fuzzed(): Iterable<Case> {
      for (let each = first; each < first + Number(runs); each++) {
        const [name, bytes] = all[each % all.length]!;
        yield [`${name}, seed ${each}`, mutate(bytes, others, each)];
      }
    }
    expect(await faults(fuzzed(), true)).toEqual([]);
  },
);
