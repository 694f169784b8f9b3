import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import {
  consoleLog,
  loadGraph,
  onParentExit,
  type Log,
  showTrace,
  type ResourceGraph,
  startCloud,
  StartError,
} from "@balde/local-cloud";

import { type Local, seed } from "./seed.ts";

const usage = `usage: pnpm start [options]

  --port N      port of the API; the other services use the ports after it (4500; 0 chooses free ports)
  --data DIR    the folder of all data, kept between runs (.balde)
  --trace ID    print the trace of the request with that id, of a cloud that runs or ran on --data, and exit
  --json        print only the content of local.json when everything has started
  --help        this text`;

const root = resolve(import.meta.dirname, "../../..");

/** Starts the local cloud from infra/stack.json, loads the sample images once, writes local.json and prints what to try. */
async function start() {
  const { values } = readOptions();
  if (values.help) return console.log(usage);
  const data = resolve(root, values.data);
  const graph = loadGraph(join(root, "infra/stack.json"));
  if (values.trace !== undefined) return console.log(traceOf(values.trace, data, graph));
  const print = (line: string) => {
    if (!values.json) console.log(line);
  };

  print("Starting the local cloud…");
  const startedAt = performance.now();
  const log = consoleLog((line) => (values.json ? console.error(line) : console.log(line)));
  // requests before the end of the start are only those of the sample images
  const quiet: Log = { ...log, request() {} };
  const cloud = await startCloud({
    graph,
    root,
    data,
    port: readPort(values.port),
    watch: true,
    log: quiet,
    onProgress: (step) => print(`  ${step}`),
  });
  stopOnSignals(cloud.stop);

  const { apiKeys, ...parts } = cloud.local;
  const users = await seed(cloud, root, print);
  const { api, ...others } = parts;
  const keys = apiKeys && { keys: byPlan(apiKeys) };
  const local: Local = { api, docs: `${api}/docs`, ...others, users, ...keys };
  quiet.request = log.request;
  const file = join(data, "local.json");
  mkdirSync(data, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(local, null, 2)}\n`);
  renameSync(`${file}.new`, file);

  if (values.json) return console.log(JSON.stringify(local, null, 2));
  print(`\nBalde is up after ${((performance.now() - startedAt) / 1000).toFixed(1)} s.\n`);
  print(welcome(local, file));
}

/** Each usage plan has one key, which has the plan's name. */
const byPlan = (apiKeys: Record<string, string>) =>
  Object.fromEntries(Object.entries(apiKeys).map(([name, value]) => [name.toLowerCase(), value]));

function readOptions() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "4500" },
        data: { type: "string", default: ".balde" },
        trace: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}

function traceOf(id: string, data: string, graph: ResourceGraph) {
  const text = showTrace({ data, graph, id });
  if (text !== undefined) return text;
  throw new StartError(
    `There is no trace of a request ${id} in ${data}. The id is in the response header x-amzn-RequestId and in the request's log line. The last few thousand traces are kept; above 100 requests a second only one in twenty is traced.`,
  );
}

function readPort(text: string) {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_529) return port;
  throw new StartError(`--port ${text} is not valid: a port is a whole number from 0 to 65529.`);
}

function stopOnSignals(stop: () => Promise<void>) {
  onParentExit(() => process.kill(process.pid, "SIGTERM"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      // a second signal, or an engine that does not end, must not block the terminal
      setTimeout(() => process.exit(1), 5_000).unref();
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

function welcome(local: Local, file: string) {
  const [ann] = local.users;
  return `  API        ${local.api}
  docs       ${local.docs}
  Cognito    ${local.cognito?.endpoint}  (client ${local.cognito?.clientId})
  S3         ${local.s3?.endpoint}/${local.s3?.bucket}
  DynamoDB   ${local.dynamodb?.endpoint}  (table ${local.dynamodb?.table})
  people     ${local.users.map((user) => `${user.name} / ${user.password}`).join("   ")}
  local.json ${file}

To try, in another terminal:

  curl ${local.api}/health
  curl ${local.api}/v1/images
  curl -o pier.jpg '${local.api}/s3?image=pier.jpg'
  TOKEN=$(curl -s ${local.cognito?.endpoint} -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSCognitoIdentityProviderService.InitiateAuth' -d '{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"${local.cognito?.clientId}","AuthParameters":{"USERNAME":"${ann?.name}","PASSWORD":"${ann?.password}"}}' | sed 's/.*"IdToken":"\\([^"]*\\).*/\\1/')
  curl -H "Authorization: $TOKEN" -H 'content-type: image/jpeg' --data-binary @pier.jpg '${local.api}/v1/images?title=again'

Ctrl-C stops everything; uploads are kept in ${file.slice(0, -"/local.json".length)}.`;
}

start().catch((error: unknown) => {
  console.error(error instanceof StartError ? `\n${error.message}` : error);
  process.exit(1);
});
