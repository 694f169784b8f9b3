import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, type Target, run } from "@balde/local-cloud/conformance";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "../src/stage.ts";
import { signIn } from "../src/api-calls.ts";

// The cases know an image API and the names of its paths; paths.json maps the names to the paths.

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));
const cases: Case[] = read("images.json");

let stage: Stage;
let target: Target;

beforeAll(async () => {
  stage = await openStage();
  const { origin, pathname } = new URL(stage.local.api);
  const [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
  target = {
    url: origin,
    stage: pathname,
    paths: read("paths.json"),
    ann: ann.idToken,
    bo: bo.idToken,
  };
});

afterAll(() => stage?.stop());

for (const one of cases)
  test(`${one.title}`, async () => expect(await run(one, target)).toEqual([]), 180_000);
