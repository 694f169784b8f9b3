import "./loopback-only.mjs";
import { readdirSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { printVerdicts } from "./report.ts";

// `pnpm bench` measures everything, `pnpm bench cold-start` one thing. A missed goal is printed and does not fail the command.

// of the processes that a measure starts
process.env.NODE_OPTIONS = `--import=${pathToFileURL(join(import.meta.dirname, "loopback-only.mjs")).href}`;

const folder = join(import.meta.dirname, "measures");
const all = readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));
const requested = process.argv.slice(2);
const unknown = requested.filter((name) => !all.includes(name));

if (unknown.length) {
  console.error(`No measure is called ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

for (const name of requested.length ? requested : all) {
  console.log(`\n# ${name}\n`);
  const { run } = (await import(join(folder, `${name}.ts`))) as { run: () => Promise<void> };
  await run();
}

printVerdicts();
const [load = 0] = loadavg();
if (load > 1.5 * availableParallelism()) {
  console.log(
    `\nThis machine was busy (load ${load.toFixed(0)} on ${availableParallelism()} processors): the times above are too long, only sizes and ratios are meaningful.`,
  );
}
