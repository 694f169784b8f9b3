import { readFileSync } from "node:fs";

import { cases } from "./cases.ts";
import type { Fixture } from "./fixture.ts";
import { run } from "./runner.ts";

/** `node run.ts FILE`: runs every case against the fixture that the JSON in FILE describes, which may be deployed to AWS. */
const file = process.argv[2];
if (!file)
  throw new Error("Usage: node run.ts FILE, where FILE holds the line that `pnpm fixture` prints");
const fixture: Fixture = JSON.parse(readFileSync(file, "utf8"));

for (const one of cases()) {
  if (one.localOnly && !fixture.clock) continue;
  const complaints = await run(one, fixture).catch((error: Error) => [error.message]);
  console.log(`${complaints.length === 0 ? "ok" : "FAILED"} ${one.title}`);
  for (const complaint of complaints) console.log(`   ${complaint}`);
  if (complaints.length > 0) process.exitCode = 1;
}
