import { afterAll, beforeAll, expect, test } from "vitest";

import type { Case } from "../test/hostile/case.ts";
import { hostileCases, validImages } from "../test/hostile/cases.ts";
import { createCaseRunner } from "../test/hostile/fuzzing.ts";

// Malicious and damaged files, through ingest and delivery, in a process that may crash.

const runner = createCaseRunner();
afterAll(() => runner.stop());

let valid: Record<string, Buffer>;
let cases: Case[];
beforeAll(async () => {
  valid = await validImages();
  cases = hostileCases(valid);
});

test("valid images of every kind are accepted", async () => {
  for (const [name, bytes] of Object.entries(valid))
    expect([name, (await runner.run(bytes)).type]).toEqual([name, "picture"]);
});

const families = ["PNG", "JPEG", "GIF", "WebP", "TIFF", "AVIF", "HEIC", "SVG", "other"];
const familyOf = (name: string) =>
  families.find((family) =>
    name.replace(/^(animated|progressive) /, "").startsWith(`${family} `),
  ) ?? "other";

test.each(families)(
  "hostile files end as a picture or as a refusal: %s",
  { timeout: 600_000 },
  async (family) => {
    const ofFamily = cases.filter(([name]) => familyOf(name) === family);
    expect(ofFamily.length).toBeGreaterThan(10);
    expect(await runner.problemsOf(ofFamily)).toEqual([]);
  },
);
