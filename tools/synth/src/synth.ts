import { writeFileSync } from "node:fs";
import { join } from "node:path";

import * as Files from "./files.ts";
import { synthesize } from "./synthesize.ts";

/** `pnpm synth`: runs the programs offline and writes what follows from them; with `--check`, says whether that is so. */
const root = join(import.meta.dirname, "../../..");
const check = process.argv.includes("--check");
const started = performance.now();

const written = {
  laptop: { stage: "laptop" },
  fixture: { stage: "t", program: Files.fixtureProgram },
};
// the others are not written down; they run so that a mistake in them does not wait for a deploy
const all = {
  ...written,
  production: { stage: "production" },
  dev: { stage: "developer", dev: true },
};

const graphs = await synthesize(root, check ? written : all);

const files = { ...Files.generated(root, graphs.laptop), ...Files.ofFixture(graphs.fixture) };
const stale = Files.stale(root, files);

if (check && stale.length > 0) {
  console.error(
    `${stale.join(", ")}: not what the programs say. Run \`pnpm synth\` and commit the difference.`,
  );
  process.exitCode = 1;
}
if (!check) for (const file of stale) writeFileSync(join(root, file), files[file]!);

const stages = Object.values(graphs).map(
  ({ stage, dev, resources }) =>
    `${stage}${dev ? " (sst dev)" : ""}: ${resources.length} resources`,
);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${stages.join(", ")}, in ${seconds} s`);
if (!check) console.log(stale.length > 0 ? `Written: ${stale.join(", ")}` : "Nothing changed");
