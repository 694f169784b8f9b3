import { writeFileSync } from "node:fs";
import { join } from "node:path";

import * as Files from "./files.ts";
import { synthesize } from "./synthesize.ts";

/** `pnpm synth`: runs the SST programs offline and writes the generated files. With `--check` it writes nothing and fails if a file is not up to date. */
const root = join(import.meta.dirname, "../../..");
const check = process.argv.includes("--check");
const started = performance.now();

const written = {
  laptop: { stage: "laptop" },
  fixture: { stage: "t", program: Files.fixtureProgram },
};
// the other stages are not written; they run so that a mistake in them is found before a deploy
const all = {
  ...written,
  production: { stage: "production" },
  dev: { stage: "developer", dev: true },
};

const graphs = await synthesize(root, check ? written : all);

const files = {
  ...Files.generatedFiles(root, graphs.laptop),
  ...Files.fixtureFiles(graphs.fixture),
};
const stale = Files.staleFiles(root, files);

if (check && stale.length > 0) {
  console.error(
    `${stale.join(", ")}: not up to date with infra/. Run \`npx pnpm synth\` and commit the difference.`,
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
