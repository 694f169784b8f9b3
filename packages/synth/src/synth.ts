import { writeFileSync } from "node:fs";
import { join } from "node:path";

import * as Files from "./files.ts";
import { synthesize } from "./synthesize.ts";

/** `pnpm synth`: runs sst.config.ts offline and writes what follows from it; with `--check`, says whether that is so. */
const root = join(import.meta.dirname, "../../..");
const check = process.argv.includes("--check");
const started = performance.now();

const { laptop, production, dev } = await synthesize(root, {
  laptop: { stage: "laptop" },
  production: { stage: "production" },
  dev: { stage: "developer", dev: true },
});

const files = Files.generated(root, laptop);
const stale = Files.stale(root, files);
const counts = [laptop, production, dev].map(({ resources }) => resources.length).join(", ");
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`laptop, production and sst dev: ${counts} resources in ${seconds} s`);

if (check && stale.length > 0) {
  console.error(
    `${stale.join(", ")}: not what infra says. Run \`pnpm synth\` and commit the difference.`,
  );
  process.exitCode = 1;
} else {
  for (const file of stale) {
    writeFileSync(join(root, file), files[file]!);
    console.log(`  ${file} written`);
  }
}
