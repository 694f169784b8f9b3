import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const offline = {
  SST_SKIP_DEPENDENCY_CHECK: "1",
  SST_NO_BUN: "1",
  SST_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  // required without a terminal; `sst install` evaluates app() only
  SST_STAGE: "test",
};

/**
 * Installs SST's platform (its components and Pulumi, 350 MB) into `.sst` unless this version is there.
 *
 * @throws Error if `sst install` fails
 */
export function ensure(root: string): void {
  const wanted = version(root);
  if (installed(root) === wanted) return;
  console.error(`Installing the platform of SST ${wanted} into .sst (once, about a minute)`);
  const bin = join(root, "node_modules/.bin/sst");
  const { status, error } = spawnSync(bin, ["install"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...offline },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`sst install ended with ${status}`);
  if (installed(root) !== wanted)
    throw new Error(`sst install did not install the platform of version ${wanted}`);
}

/** The npm packages of the providers and their global names in infra, as `sst install` resolved them. */
export function providers(root: string): { alias: string; package: string }[] {
  return JSON.parse(readFileSync(join(root, ".sst/provider-lock.json"), "utf8"));
}

function version(root: string): string {
  const manifest = readFileSync(join(root, "node_modules/sst/package.json"), "utf8");
  return JSON.parse(manifest).version;
}

function installed(root: string): string | undefined {
  const needed = ["version", "config.d.ts", "node_modules/@pulumi/aws/package.json"];
  const files = needed.map((file) => join(root, ".sst/platform", file));
  if (
    !files.every((file) => existsSync(file)) ||
    !existsSync(join(root, ".sst/provider-lock.json"))
  )
    return undefined;
  return readFileSync(files[0]!, "utf8").trim();
}
