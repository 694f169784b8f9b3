import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export type Sample = {
  /** Milliseconds to import the bundle. */
  import: number;
  /** Milliseconds from the event to the response. */
  first: number;
  total: number;
  /** Processor time of both on all threads, which depends little on the load of the machine. */
  cpu: number;
  /** Milliseconds of the whole process, including the start of node. */
  wall: number;
};

/** Imports a bundle (`file#export`) in a process of its own and calls it once, with the environment of a Lambda function; `env` holds the endpoints of AWS. Rejects if the answer's status is 500 or more. */
export async function measureFreshProcess(
  bundle: string | undefined,
  event: object,
  links: Record<string, object>,
  env: Record<string, string>,
): Promise<Sample> {
  const runner = join(import.meta.dirname, "fresh-process.mjs");
  const args = bundle ? [runner, bundle, JSON.stringify(event)] : ["--eval", "0"];
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...environment(links), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const wall = performance.now() - start;
  if (code !== 0) throw new Error(`${bundle} ended with ${code}`);
  const nothing = { import: 0, first: 0, cpu: 0 };
  const times = out ? (JSON.parse(out) as typeof nothing) : nothing;
  return { ...times, total: times.import + times.first, wall };
}

const environment = (links: Record<string, object>) => ({
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  ...linkVariables(links),
});

/** Returns a function's links as the environment variables that SST sets. */
export const linkVariables = (links: Record<string, object>) => ({
  SST_RESOURCE_App: JSON.stringify({ name: "balde", stage: "bench" }),
  ...Object.fromEntries(
    Object.entries(links).map(([name, link]) => [`SST_RESOURCE_${name}`, JSON.stringify(link)]),
  ),
});
