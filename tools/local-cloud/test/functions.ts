import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { createClock } from "../src/clock.ts";
import { createFunctions } from "../src/lambda/functions.ts";
import type { Log } from "../src/log.ts";
import type { FunctionSource, ResourceInFile, GraphFile } from "../src/graph/graph-file.ts";
import { parseGraph } from "../src/graph/resource-graph.ts";
import type { TraceStore } from "../src/xray/trace-store.ts";

export const functionArn = (name: string) =>
  `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;

type Given = {
  /** Source text by path; `handler.ts` is the function of that name. */
  files: Record<string, string>;
  /** Inputs of the function resource by function name. */
  inputs?: Record<string, object>;
  sources?: Record<string, Partial<FunctionSource>>;
  watch?: boolean;
  throttle?: boolean;
  traces?: (folder: string) => TraceStore;
  /** A folder of an earlier call, to start again on it. */
  root?: string;
};

/** Functions from source text, in a folder of their own under the system's temporary folder. */
export async function deployTestFunctions({
  files,
  inputs = {},
  sources = {},
  root,
  traces,
  ...given
}: Given) {
  const folder = root ?? realpathSync(mkdtempSync(join(tmpdir(), "local-cloud-functions-")));
  for (const [path, text] of Object.entries(files)) write(folder, path, text);
  const names = Object.keys(files)
    .filter((path) => !path.includes("/") && path.endsWith(".ts"))
    .map((path) => path.replace(/\.ts$/, ""));
  const file = graphOf(names.map((name) => functionResource(name, inputs[name])));
  for (const name of names)
    file.functions[functionArn(name)] = {
      name,
      handler: `${name}.handler`,
      links: {},
      architecture: "x86_64",
      ...sources[name],
    };
  const log = createRecordingLog();
  const functions = await createFunctions({
    graph: parseGraph(file),
    root: folder,
    folder: join(folder, ".data"),
    principals: {
      forRole: (arn) => ({ accessKeyId: `AKIA-${arn}`, secretAccessKey: "s", sessionToken: "t" }),
    },
    endpoints: { S3: "http://127.0.0.1:1" },
    secrets: (name) => `value of ${name}`,
    clock: createClock(),
    log,
    ...(traces && { traces: traces(folder) }),
    ...given,
  });
  return {
    ...functions,
    folder,
    log,
    write: (path: string, text: string) => write(folder, path, text),
    call: (name: string, event: unknown = {}, options = {}) =>
      functions.invoke(functionArn(name), JSON.stringify(event), options),
    async remove() {
      await functions.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function functionResource(name: string, inputs: object = {}): ResourceInFile {
  return {
    urn: `urn:pulumi:test::test::aws:lambda/function:Function::${name}`,
    type: "aws:lambda/function:Function",
    name,
    id: name,
    inputs: {
      name,
      role: `arn:aws:iam::123456789012:role/${name}`,
      runtime: "nodejs24.x",
      ...inputs,
    },
    outputs: { arn: functionArn(name) },
  };
}

function graphOf(resources: ResourceInFile[]): GraphFile {
  return {
    app: "test",
    stage: "laptop",
    region: "eu-central-1",
    account: "123456789012",
    resources,
    functions: {},
  };
}

export type RecordingLog = Log & { lines: string[] };

export function createRecordingLog(): RecordingLog {
  const lines: string[] = [];
  const hear = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`);
  return {
    lines,
    info: hear("info"),
    warn: hear("warn"),
    error: hear("error"),
    request() {},
    denied: ({ principal, action, resource }) =>
      void lines.push(`denied ${principal} ${action} ${resource}`),
  };
}

function write(folder: string, path: string, text: string) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
