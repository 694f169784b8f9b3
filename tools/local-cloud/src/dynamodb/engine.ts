import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { urlToHttpOptions } from "node:url";
import { setTimeout as wait } from "node:timers/promises";

import type { Log } from "../log.ts";
import { readBody } from "../read-body.ts";
import { StartError } from "../start-error.ts";

/** A server with DynamoDB's protocol that stores the items. It checks neither signatures nor permissions. */
export type Engine = {
  url: string;
  /** Path of its database; undefined for an engine that another process started. */
  file: string | undefined;
  /** Passes a request on unchanged. `target` is the whole `X-Amz-Target`. */
  pass(target: string, body: Uint8Array | string): Promise<IncomingMessage>;
  /** Sends an operation and returns its result; rejects with DynamoDB's error. */
  call(operation: string, input: object): Promise<Answer>;
  close(): Promise<void>;
};

// each DynamoDB operation has its own result type
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = Record<string, any>;

/**
 * Connects to the engine at `AWS_ENDPOINT_URL_DYNAMODB` if that is set; else starts dynoxide as a child process with a database in the folder.
 * @throws StartError if there is no engine for this platform, or it does not start
 */
export async function startEngine({
  folder,
  log,
  env = process.env,
}: {
  folder: string;
  log: Log;
  env?: NodeJS.ProcessEnv;
}): Promise<Engine> {
  const given = env["AWS_ENDPOINT_URL_DYNAMODB"];
  if (given) return { ...client(given), url: given, file: undefined, close: async () => {} };

  const binary = findBinary(env);
  const file = join(folder, "dynamo.db");
  const pidFile = join(folder, "dynamo.pid");
  await killStaleEngine(pidFile, file);

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let closing = false;
  let child: ChildProcess;
  const run = async () => {
    child = await spawnEngine(binary, file, port);
    writeFileSync(pidFile, String(child.pid));
    child.once("exit", (code, signal) => {
      if (closing) return;
      log.error("The DynamoDB engine exited unexpectedly and is being restarted", { code, signal });
      run().catch((error: unknown) => log.error(String(error)));
    });
  };
  await run();

  return {
    ...client(url),
    url,
    file,
    async close() {
      closing = true;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.signalCode === null && child.kill("SIGTERM"))
        await ended;
      rmSync(pidFile, { force: true });
    },
  };
}

function client(url: string): Pick<Engine, "pass" | "call"> {
  const agent = new Agent({ keepAlive: true });
  const to = { ...urlToHttpOptions(new URL(url)), method: "POST", agent };
  const pass = (target: string, body: Uint8Array | string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        "content-type": "application/x-amz-json-1.0",
        "content-length": Buffer.byteLength(body),
        "x-amz-target": target,
        "x-amz-date": "20260101T000000Z",
        // every engine requires a signature and none checks it; always the same key, because DynamoDB Local has a database per key
        authorization:
          "AWS4-HMAC-SHA256 Credential=LOCAL/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
      };
      httpRequest({ ...to, headers }, resolve)
        .on("error", reject)
        .end(body);
    });

  return {
    pass,
    async call(operation, input) {
      const response = await pass(`DynamoDB_20120810.${operation}`, JSON.stringify(input));
      const answer = JSON.parse(await readText(response)) as Answer;
      if (response.statusCode === 200) return answer;
      const name = String(answer["__type"]).split("#").at(-1) ?? "";
      throw Object.assign(new Error(`${operation}: ${name} ${answer["message"] ?? ""}`), { name });
    },
  };
}

export async function readText(response: IncomingMessage): Promise<string> {
  return (await readBody(response)).toString("utf8");
}

function findBinary(env: NodeJS.ProcessEnv): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = process.platform === "win32" ? "dynoxide.exe" : "dynoxide";
  if (env["DYNOXIDE_BIN"]) {
    if (existsSync(env["DYNOXIDE_BIN"])) return env["DYNOXIDE_BIN"];
    throw new StartError(
      `DYNOXIDE_BIN names ${env["DYNOXIDE_BIN"]}, which does not exist; name a dynoxide binary, or unset the variable`,
    );
  }
  try {
    return createRequire(import.meta.url).resolve(`@dynoxide/${platform}/${name}`);
  } catch (cause) {
    throw new StartError(
      `There is no DynamoDB engine for ${platform}: install @dynoxide/${platform}, or name a dynoxide binary in DYNOXIDE_BIN, or a running engine in AWS_ENDPOINT_URL_DYNAMODB.`,
      { cause },
    );
  }
}

/** Runs the engine, with a watcher in the background that kills it when the parent's end of standard input closes, also after SIGKILL of the parent. */
const engineScript = `trap "" INT; exec 3<&0; (cat <&3 >/dev/null 2>&1; kill -9 $$ 2>/dev/null) >/dev/null 2>&1 & exec "$0" "$@" 3<&- </dev/null`;

async function spawnEngine(binary: string, file: string, port: number): Promise<ChildProcess> {
  const args = ["--host", "127.0.0.1", "--port", String(port), "--db-path", file];
  const child =
    process.platform === "win32"
      ? spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: {} })
      : spawn("/bin/sh", ["-c", engineScript, binary, ...args], {
          stdio: ["pipe", "pipe", "pipe"],
          env: {},
          // in a process group of its own, so that Ctrl-C in the terminal does not end it before its parent closes it
          detached: true,
        });
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("listening on")) resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(
        new StartError(
          `The DynamoDB engine did not start with ${file} (exit ${code}: ${output.trim()}): choose another folder with --data, or delete this one, which loses the images in it.`,
        ),
      ),
    );
  });
  child.stdin?.on("error", () => {});
  return child;
}

/** Kills an engine that outlived its parent, because two engines must not write the same file. The folder's lock guarantees that the parent is gone. */
async function killStaleEngine(pidFile: string, file: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8"));
  // another process may have this process id by now
  const isStale = () => pid > 0 && commandLineOf(pid).includes(file);
  while (isStale()) {
    process.kill(pid, "SIGKILL");
    await wait(5);
  }
  rmSync(pidFile, { force: true });
}

/** Returns the command line of a process; empty if there is no such process, or it is exiting. */
function commandLineOf(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (process.platform === "win32") return "";
    return execFileSync("/bin/ps", ["-ww", "-o", "command=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return "";
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
