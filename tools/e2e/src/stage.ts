import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

/** The content of `.balde/local.json`, or of the file that BALDE_TARGET names, which describes a deployed stage. */
export type Local = {
  api: string;
  /** The page that shows the OpenAPI document. */
  docs?: string;
  region: string;
  cognito: { endpoint: string; userPoolId: string; clientId: string };
  s3?: { endpoint: string; bucket: string };
  dynamodb?: { endpoint: string; table: string };
  sqs?: { endpoint: string; queues: Record<string, string> };
  users: { name: string; password: string }[];
  /** API keys by usage plan. */
  keys?: { trial: string; partner: string };
  iam?: { accessKeyId: string; secretAccessKey: string };
};

export type Stage = {
  local: Local;
  /** What the process has written to stderr so far. */
  stderr: () => string;
  stop: () => Promise<void>;
  /** Kills the whole process group with SIGKILL: no handler runs and nothing is flushed. */
  kill: () => Promise<void>;
  /** Sends SIGINT to the whole process group, as Ctrl-C in a terminal does. */
  interrupt: () => Promise<void>;
};

const root = resolve(import.meta.dirname, "../../..");

/** Returns the deployed stage that BALDE_TARGET describes, else starts a local cloud with an empty folder on free ports. */
export async function openStage(): Promise<Stage> {
  const target = process.env.BALDE_TARGET;
  if (target) {
    const doNothing = async () => {};
    return {
      local: JSON.parse(readFileSync(target, "utf8")),
      stderr: () => "",
      stop: doNothing,
      kill: doNothing,
      interrupt: doNothing,
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

/** Runs `pnpm start --json` in a process group of its own and waits until everything has started. */
export async function startLocalCloud(
  data: string,
  options: string[] = ["--port", "0"],
): Promise<Stage> {
  const child = spawn(
    process.execPath,
    ["tools/start/src/start.ts", "--json", "--data", data, ...options],
    { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const stderr: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk.toString()));
  const local = await readLocalJson(child, stderr);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    process.kill(signal === "SIGTERM" ? child.pid! : -child.pid!, signal);
    await exited;
  };
  return {
    local,
    stderr: () => stderr.join(""),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    interrupt: () => end("SIGINT"),
  };
}

function readLocalJson(child: ChildProcess, stderr: string[]): Promise<Local> {
  return new Promise((resolve, reject) => {
    let out = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.endsWith("}\n")) resolve(JSON.parse(out));
    });
    child.once("exit", (code) =>
      reject(new Error(`pnpm start ended with ${code}:\n${out}${stderr.join("")}`)),
    );
  });
}

/** Runs `pnpm start` with options that end it, and returns its output and exit code. */
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
