import { spawn } from "node:child_process";
import { join } from "node:path";

import * as Platform from "@balde/synth/platform";

/** `pnpm check`: everything that a machine can say about the repository, each part with its time; fails at the end. CI runs the tests by themselves. */
const root = join(import.meta.dirname, "../../..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

type Step = {
  name: string;
  command: string;
  args: string[];
  verdict?: (said: string, code: number) => string;
};

const steps: Step[] = [
  { name: "format", command: bin("oxfmt"), args: ["--check"] },
  { name: "lint", command: bin("oxlint"), args: ["--type-aware"] },
  { name: "types", command: bin("tsc"), args: ["--project", "tsconfig.json"] },
  {
    name: "types of infra",
    command: bin("tsc"),
    args: ["--project", "infra/tsconfig.json", "--pretty", "false"],
    verdict: withoutPlatform,
  },
  { name: "unused", command: bin("knip"), args: [] },
  { name: "synth", command: process.execPath, args: ["tools/synth/src/synth.ts", "--check"] },
  {
    name: "openapi",
    command: process.execPath,
    args: ["packages/openapi/src/write.ts", "--check"],
  },
  { name: "tests", command: bin("vitest"), args: ["run"] },
];

Platform.ensure(root);

const failed: string[] = [];
const withoutTests = process.argv.includes("--without-tests");
for (const step of steps) {
  if (withoutTests && step.name === "tests") continue;
  process.stdout.write(`${step.name} … `);
  const started = performance.now();
  const complaint = await run(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${complaint === "" ? "ok" : "failed"}, ${seconds} s`);
  if (complaint === "") continue;
  failed.push(step.name);
  console.log(complaint);
}

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

/** What is wrong, or nothing. */
async function run({ command, args, verdict = byCode }: Step): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  return verdict(said, code);
}

function byCode(said: string, code: number) {
  return code === 0 ? "" : said.trim() || `ended with ${code}`;
}

/**
 * SST ships its components as sources, and they are not clean under `strict`: a complaint about a file of its platform, and
 * the indented lines that explain it, are not ours. Anything else is, a crash of the compiler too.
 */
function withoutPlatform(said: string, code: number) {
  const lines = said.split("\n");
  const ours = lines.filter((line, index) => {
    const first = lines.findLast((other, before) => before <= index && /^\S/.test(other)) ?? "";
    return line.trim() !== "" && !/^(\.\.\/)?\.sst\/platform\/.*error TS\d+/.test(first);
  });
  const explained = ours.length === 0 && /error TS\d+/.test(said);
  return code === 0 || explained ? "" : ours.join("\n") || `ended with ${code}`;
}
