import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Graph } from "./graph.ts";
import * as Platform from "./platform.ts";
import type { Bundle } from "./program.ts";

/** One execution of a program. */
export type Run = {
  stage: string;
  dev?: boolean;
  /** The folder of `sst.config.ts`, relative to the repository; its root if left out. */
  program?: string;
};

/**
 * Runs each program offline, each in a process of its own, and returns its graph under the same key. Installs SST's platform
 * first if it is missing.
 *
 * @throws Error if a program fails, with its output
 */
export async function synthesize<Runs extends Record<string, Run>>(
  repository: string,
  runs: Runs,
): Promise<Record<keyof Runs, Graph>> {
  Platform.ensure(repository);
  const graphs = Object.entries(runs).map(async ([name, run]) => [
    name,
    await graphOf(repository, run),
  ]);
  return Object.fromEntries(await Promise.all(graphs));
}

async function graphOf(
  repository: string,
  { stage, dev = false, program = "." }: Run,
): Promise<Graph> {
  const work = mkdtempSync(join(tmpdir(), "balde-synth-"));
  try {
    // the bundle is in this folder and must find the platform's Pulumi
    symlinkSync(join(repository, ".sst/platform/node_modules"), join(work, "node_modules"));
    const out = join(work, "graph.json");
    await runProgram({ root: join(repository, program), repository, work, stage, dev, out });
    return JSON.parse(readFileSync(out, "utf8"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function runProgram(bundle: Bundle & { out: string }) {
  const script = fileURLToPath(import.meta.resolve("./run.ts"));
  const child = spawn(process.execPath, ["--no-warnings", script, JSON.stringify(bundle)], {
    stdio: ["ignore", "pipe", "pipe"],
    // nothing of the machine's environment: no credentials, no stage
    env: { PATH: process.env.PATH, HOME: bundle.work, AWS_EC2_METADATA_DISABLED: "true" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0)
    throw new Error(
      `The program failed for the stage ${bundle.stage}${bundle.dev ? " (sst dev)" : ""}:\n${output}`,
    );
}
