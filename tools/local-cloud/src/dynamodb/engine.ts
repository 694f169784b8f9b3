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

/** Whatever answers DynamoDB's protocol behind the guard. It checks no signature and no right. */
export type Engine = {
  url: string;
  /** Its database, when it is ours to look after; undefined when it was given from outside. */
  file: string | undefined;
  /** Passes a request on as it is. `target` is the whole `X-Amz-Target`. */
  pass(target: string, body: Uint8Array | string): Promise<IncomingMessage>;
  /** Sends an operation and reads the answer; rejects with DynamoDB's error. */
  call(operation: string, input: object): Promise<Answer>;
  close(): Promise<void>;
};

// the engine's answers are as many shapes as DynamoDB has operations
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = Record<string, any>;

/** One given from outside (`AWS_ENDPOINT_URL_DYNAMODB`) is used as it is; else dynoxide runs as a child on a file in the folder. */
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
  const note = join(folder, "dynamo.pid");
  await endStale(note, file);

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let closing = false;
  let child: ChildProcess;
  const run = async () => {
    child = await spawnEngine(binary, file, port);
    writeFileSync(note, String(child.pid));
    child.once("exit", (code, signal) => {
      if (closing) return;
      log.error("the DynamoDB engine ended, it is started again", { code, signal });
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
      rmSync(note, { force: true });
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
        // every engine wants a signature, none checks it; one key for all, as DynamoDB Local keeps a database per key
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
    throw new StartError(`DYNOXIDE_BIN names ${env["DYNOXIDE_BIN"]}, which does not exist`);
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

/** Becomes the engine, after leaving a watcher behind that ends it when our end of its standard input closes: also when we are killed. */
const untilParentDies = `trap "" INT; exec 3<&0; (cat <&3 >/dev/null 2>&1; kill -9 $$ 2>/dev/null) >/dev/null 2>&1 & exec "$0" "$@" 3<&- </dev/null`;

async function spawnEngine(binary: string, file: string, port: number): Promise<ChildProcess> {
  const args = ["--host", "127.0.0.1", "--port", String(port), "--db-path", file];
  const child =
    process.platform === "win32"
      ? spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: {} })
      : spawn("/bin/sh", ["-c", untilParentDies, binary, ...args], {
          stdio: ["pipe", "pipe", "pipe"],
          env: {},
        });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("listening on")) resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new StartError(`The DynamoDB engine did not start (exit ${code}): ${said.trim()}`)),
    );
  });
  child.stdin?.on("error", () => {});
  return child;
}

/** An engine that outlived its parent must not go on serving the file beside ours; the folder's lock says that the parent is gone. */
async function endStale(note: string, file: string): Promise<void> {
  if (!existsSync(note)) return;
  const pid = Number(readFileSync(note, "utf8"));
  // the number may belong to another process by now
  const isStale = () => pid > 0 && commandOf(pid).includes(file);
  while (isStale()) {
    process.kill(pid, "SIGKILL");
    await wait(5);
  }
  rmSync(note, { force: true });
}

/** Empty when there is no such process, or it is ending. */
function commandOf(pid: number): string {
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
