import { spawn } from "node:child_process";
import { join } from "node:path";

import * as Platform from "@balde/synth/platform";

/** `pnpm check`: every check of the repository, each with its duration. Runs all of them and fails at the end if one failed. `--without-tests` leaves the tests out. */
const root = join(import.meta.dirname, "../../..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

type Check = {
  name: string;
  command: string;
  args: string[];
  /** What a person runs to repair it. */
  repair?: string;
  /** The complaint in the output, empty if there is none. */
  complaintIn?: (output: string, exitCode: number) => string;
};

const checks: Check[] = [
  { name: "format", command: bin("oxfmt"), args: ["--check"], repair: "npx pnpm format" },
  { name: "lint", command: bin("oxlint"), args: ["--type-aware"] },
  { name: "types", command: bin("tsc"), args: ["--project", "tsconfig.json"] },
  {
    name: "types of infra",
    command: bin("tsc"),
    args: ["--project", "infra/tsconfig.json", "--pretty", "false"],
    complaintIn: withoutPlatform,
  },
  { name: "unused code", command: bin("knip"), args: [] },
  {
    name: "resource graph",
    command: process.execPath,
    args: ["tools/synth/src/synth.ts", "--check"],
    repair: "npx pnpm synth",
  },
  {
    name: "OpenAPI document",
    command: process.execPath,
    args: ["packages/openapi/src/write.ts", "--check"],
    repair: "npx pnpm synth",
  },
  { name: "tests", command: bin("vitest"), args: ["run"] },
];

Platform.ensure(root);

const failed: Check[] = [];
const withoutTests = process.argv.includes("--without-tests");
for (const check of checks) {
  if (withoutTests && check.name === "tests") continue;
  process.stdout.write(`${check.name} … `);
  const startedAt = performance.now();
  const complaint = await run(check);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${complaint === "" ? "ok" : "failed"}, ${seconds} s`);
  if (complaint === "") continue;
  failed.push(check);
  console.log(complaint);
}

if (failed.length > 0) {
  const repairs = failed.map(
    ({ name, repair }) => `  ${name}${repair ? `: repair it with ${repair}` : ""}`,
  );
  console.error(`\nFailed:\n${repairs.join("\n")}`);
  process.exitCode = 1;
}

/** Runs a check. The result is its complaint, empty if it passed. */
async function run({ command, args, complaintIn = byExitCode }: Check): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  return complaintIn(output, exitCode);
}

function byExitCode(output: string, exitCode: number) {
  return exitCode === 0 ? "" : output.trim() || `ended with exit code ${exitCode}`;
}

/**
 * SST ships its components as sources, and they do not compile under `strict`. An error in a file of its platform, with the
 * indented lines that explain it, is ignored. Everything else is a complaint, a crash of the compiler too.
 */
function withoutPlatform(output: string, exitCode: number) {
  const lines = output.split("\n");
  const ours = lines.filter((line, index) => {
    const heading = lines.findLast((other, before) => before <= index && /^\S/.test(other)) ?? "";
    return line.trim() !== "" && !/^(\.\.\/)?\.sst\/platform\/.*error TS\d+/.test(heading);
  });
  const onlyPlatform = ours.length === 0 && /error TS\d+/.test(output);
  return exitCode === 0 || onlyPlatform
    ? ""
    : ours.join("\n") || `ended with exit code ${exitCode}`;
}
