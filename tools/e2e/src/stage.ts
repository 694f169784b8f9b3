import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

/** What `.balde/local.json` holds, or what somebody with a deployed stage writes down in the file that BALDE_TARGET names. */
export type Local = {
  api: string;
  /** The page that shows the document. */
  docs?: string;
  region: string;
  cognito: { endpoint: string; userPoolId: string; clientId: string };
  s3?: { endpoint: string; bucket: string };
  dynamodb?: { endpoint: string; table: string };
  sqs?: { endpoint: string; queues: Record<string, string> };
  users: { name: string; password: string }[];
  /** API keys by the usage plan that they are in. */
  keys?: { trial: string; partner: string };
  iam?: { accessKeyId: string; secretAccessKey: string };
};

export type Stage = {
  local: Local;
  /** Everything the process said so far. */
  stderr: () => string;
  stop: () => Promise<void>;
  /** `kill -9` of the whole process group: no handler runs, nothing is flushed. */
  kill: () => Promise<void>;
};

const root = resolve(import.meta.dirname, "../../..");

/** A stage to test: the deployed one that BALDE_TARGET describes, else a fresh laptop cloud on free ports. */
export async function openStage(): Promise<Stage> {
  const target = process.env.BALDE_TARGET;
  if (target) {
    const nothing = async () => {};
    return {
      local: JSON.parse(readFileSync(target, "utf8")),
      stderr: () => "",
      stop: nothing,
      kill: nothing,
    };
  }
  const data = mkdtempSync(join(tmpdir(), "balde-e2e-"));
  const started = await startLocalCloud(data);
  return {
    ...started,
    async stop() {
      await started.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** `pnpm start --json` on free ports, in a process group of its own. */
export async function startLocalCloud(
  data: string,
  options: string[] = ["--port", "0"],
): Promise<Stage> {
  const child = spawn(
    process.execPath,
    ["tools/start/src/start.ts", "--json", "--data", data, ...options],
    { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const local = await readLocalJson(child, said);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    process.kill(signal === "SIGKILL" ? -child.pid! : child.pid!, signal);
    await exited;
  };
  return {
    local,
    stderr: () => said.join(""),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

function readLocalJson(child: ChildProcess, said: string[]): Promise<Local> {
  return new Promise((resolve, reject) => {
    let out = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.endsWith("}\n")) resolve(JSON.parse(out));
    });
    child.once("exit", (code) =>
      reject(new Error(`pnpm start ended with ${code}:\n${out}${said.join("")}`)),
    );
  });
}

/** What `pnpm start` with options that end it prints, and its exit code. */
export async function runStartCommand(...options: string[]) {
  const child = spawn(process.execPath, ["tools/start/src/start.ts", ...options], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code: code as number, text: out + err };
}
