import { rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { join, resolve } from "node:path";

import { type CloudAddresses, addressesOf } from "./addresses.ts";
import { type Clock, createClock } from "./clock.ts";
import type { UserPools } from "./cognito/cognito.ts";
import { openDataFolder, toStartError } from "./data-folder.ts";
import { notRunHere } from "./graph/ignored-types.ts";
import { type ResourceGraph, loadGraph, resourcesOf } from "./graph/resource-graph.ts";
import { createPrincipals } from "./iam/principals.ts";
import { createSts } from "./iam/sts.ts";
import type { Functions } from "./lambda/functions.ts";
import { close, listen } from "./listen.ts";
import { type Log, consoleLog, silentLog } from "./log.ts";
import { StartError } from "./start-error.ts";
import { findTrace } from "./xray/find-trace.ts";
import { printTrace } from "./xray/print-trace.ts";
import { openTraceStore } from "./xray/trace-store.ts";

export { onParentExit } from "./parent-exit.ts";
export { consoleLog, loadGraph, silentLog, StartError };
export type { CloudAddresses, Log, ResourceGraph };

export type CloudOptions = {
  graph: ResourceGraph;
  /** The folder that the handlers' paths start from, absolute or relative to the working directory; so is `data`. */
  root: string;
  /** The folder of all state. It is made if it does not exist; one cloud at a time uses it. */
  data: string;
  /** The port of the REST API; S3, DynamoDB, Cognito, SQS, WebSocket APIs and STS have the ports after it. 0, the default, takes free ports. */
  port?: number;
  /** Default: `silentLog`. */
  log?: Log;
  /** Default: the real clock. `cloud.clock.advance` moves it. */
  clock?: Clock;
  /** Follows the source files of the functions: a saved file is live within two seconds. */
  watch?: boolean;
  /**
   * Returns the address at which functions find a service, for example that of a proxy before it. It is called with the
   * name in `AWS_ENDPOINT_URL_…` (S3, DYNAMODB …) and the service's own address, which everything else keeps using.
   */
  functionEndpoint?: (service: string, url: string) => string | Promise<string>;
  /** Called with the function's ARN before an API invokes a function. */
  onFunctionCall?: (functionArn: string) => void;
  /** Called when a service has started, with its name and address. */
  onProgress?: (step: string) => void;
};

export type Cloud = {
  /** Where everything is. A part that the graph does not have is absent. */
  local: CloudAddresses;
  clock: Clock;
  /**
   * Makes a user of the first user pool who can sign in at once. A name that exists is left as it is.
   * @throws Error when the graph has no user pool.
   */
  createUser(user: { name: string; password: string; email: string }): void;
  /** Returns tokens for such a user without signing in: with other scopes, or of a session that began in the past. */
  issueTokens: UserPools["issue"];
  /** Invokes a function directly, without any trigger, and returns its result. */
  invoke(functionArn: string, payload: string): Promise<unknown>;
  /**
   * Kills the processes that have worked on an event of the function, or of any function, for so many milliseconds (default:
   * any time), with SIGKILL. Returns how many.
   */
  killProcesses(functionArn?: string, busyForMs?: number): number;
  /** Stops every service and process, and closes the data folder. */
  stop(): Promise<void>;
};

/** How far a service's port is from the port of the REST API. */
const PORT_OFFSETS = {
  api: 0,
  s3: 1,
  dynamodb: 2,
  cognito: 3,
  sqs: 4,
  webSocket: 5,
  sts: 6,
} as const;

/** Far above API Gateway's own limits, so that the gateway refuses and not Node. */
const MAX_HEADER_BYTES = 256 * 1024;

/**
 * Returns the trace of one request as text, or undefined if there is none.
 * @param id the request id of the response header `x-amzn-RequestId`, or a trace id
 */
export function showTrace({ data, graph, id }: { data: string; graph: ResourceGraph; id: string }) {
  const trace = findTrace(data, id);
  const names = Object.entries(graph.functions).map(([arn, { name }]) => [arn, name]);
  return trace && printTrace(trace, Object.fromEntries(names));
}

/**
 * Starts a resource graph on this machine. A service that the graph does not use is not loaded.
 * @throws StartError with a sentence for the person who started it: a port or folder that is taken, or a graph that AWS would
 * refuse or that is not emulated.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { graph, port = 0, log = silentLog, onProgress = () => {} } = options;
  // functions and bundles have other working directories
  const root = resolve(options.root);
  const clock = options.clock ?? createClock();
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopPart of stops.splice(0).toReversed()) await stopPart();
  };
  const portOf = (service: keyof typeof PORT_OFFSETS) =>
    port === 0 ? 0 : port + PORT_OFFSETS[service];
  const open = async (server: Server, service: keyof typeof PORT_OFFSETS, title: string) => {
    const url = `http://127.0.0.1:${await listen(server, portOf(service), title)}`;
    stops.push(() => close(server));
    onProgress(`${title.padEnd(9)} ${url}`);
    return url;
  };

  let madeFolder: string | undefined;
  try {
    const data = openDataFolder(resolve(options.data));
    madeFolder = data.made;
    stops.push(() => data.close());
    const { db } = data;
    const principals = createPrincipals({ graph, db });
    // the gateway prints a line per request; a request to another service is printed when the service failed
    const request: Log["request"] = (line) => void (line.status >= 500 && log.request(line));
    const traces = openTraceStore(data.path, (message) => log.warn(message));
    stops.push(() => traces.stop());
    const shared = { graph, db, principals, clock, traces, log: { ...log, request } };

    const { promise: started, resolve: functionsStarted } =
      Promise.withResolvers<Pick<Functions, "invoke">>();
    const callFromApi: Functions["invoke"] = async (functionArn, ...call) => {
      options.onFunctionCall?.(functionArn);
      return (await started).invoke(functionArn, ...call);
    };

    const sts = await open(createSts(shared), "sts", "STS");
    const sqs = await startSqs();
    const { createAsynchronousEvents } = await import("./lambda/asynchronous/event-store.ts");
    const asynchronous = createAsynchronousEvents(db, clock);
    const cognito = await startCognito();
    const s3 = await startS3();
    const dynamo = await startDynamoDb();
    const webSockets = await startWebSockets();
    const functions = await startFunctions();
    functionsStarted(functions ?? { invoke: refuseInvoke });
    if (webSockets) stops.push(webSockets.stop);
    const gateway = await createRestApis();
    await functions?.ready;
    const notRun = notRunHere(graph.others.map(({ type }) => type));
    if (notRun.length > 0) onProgress(`not run   ${notRun.join(", ")}`);
    if (functions) onProgress(`functions ${Object.values(functions.names).join(", ")}`);
    // the last port to open: a client that finds it open finds everything behind it
    const api = gateway && (await open(gateway.server, "api", "API"));

    return {
      local: addressesOf({
        graph,
        operator: principals.operator,
        api: api && `${api}${gateway.stages[0]!.path}`,
        cognito: cognito?.url,
        s3,
        dynamodb: dynamo?.url,
        sqs: sqs?.url,
        sts,
        webSockets,
        apiKeys: gateway?.keys,
      }),
      clock,
      createUser: (user) => existing(cognito).userPools.createUser(user),
      issueTokens: (name, of) => existing(cognito).userPools.issue(name, of),
      invoke: async (functionArn, payload) => (await started).invoke(functionArn, payload),
      killProcesses: (functionArn, busyForMs) => functions?.kill(functionArn, busyForMs) ?? 0,
      stop,
    };

    async function startCognito() {
      if (resourcesOf(graph, "aws:cognito/userPool:UserPool").length === 0) return undefined;
      const { createUserPools } = await import("./cognito/cognito.ts");
      const userPools = createUserPools({ ...shared, events: await openEventBus() });
      const server = createServer((req, res) => void userPools.handle(req, res));
      return { userPools, url: await open(server, "cognito", "Cognito") };
    }

    async function openEventBus() {
      if (resourcesOf(graph, "aws:cloudwatch/eventRule:EventRule").length === 0) return undefined;
      const { createEventBus } = await import("./eventbridge/event-bus.ts");
      return createEventBus({ ...shared, queues: sqs?.queues, asynchronous });
    }

    async function startSqs() {
      if (resourcesOf(graph, "aws:sqs/queue:Queue").length === 0) return undefined;
      const { createQueues } = await import("./sqs/queues.ts");
      const { createSqs } = await import("./sqs/sqs.ts");
      const queues = createQueues(shared);
      const url = await open(createSqs({ ...shared, queues }), "sqs", "SQS");
      return { queues, url };
    }

    async function startS3() {
      if (resourcesOf(graph, "aws:s3/bucket:Bucket").length === 0) return undefined;
      const { createNotifications } = await import("./s3/notifications.ts");
      const { createS3 } = await import("./s3/server.ts");
      const { notify } = createNotifications({ ...shared, queues: sqs?.queues, asynchronous });
      const { server, stop: stopS3 } = createS3({
        ...shared,
        folder: join(data.path, "s3"),
        notify,
      });
      stops.push(stopS3);
      return open(server, "s3", "S3");
    }

    async function startDynamoDb() {
      if (resourcesOf(graph, "aws:dynamodb/table:Table").length === 0) return undefined;
      const { startDynamo } = await import("./dynamodb/dynamodb.ts");
      const started = await startDynamo({ ...shared, folder: data.path, port: portOf("dynamodb") });
      stops.push(() => started.close());
      onProgress(`DynamoDB  ${started.url}`);
      return started;
    }

    /** Starts before the functions, whose environments name the address; a message that comes now waits for them. */
    async function startWebSockets() {
      if (resourcesOf(graph, "aws:apigatewayv2/stage:Stage").length === 0) return undefined;
      const { createWebSockets } = await import("./websocket/server.ts");
      const {
        server,
        stages,
        stop: stopSockets,
      } = createWebSockets({
        ...shared,
        log,
        functions: { invoke: callFromApi },
      });
      return { stages, stop: stopSockets, url: await open(server, "webSocket", "WebSocket") };
    }

    async function startFunctions() {
      if (resourcesOf(graph, "aws:lambda/function:Function").length === 0) return undefined;
      const { createFunctions } = await import("./lambda/functions.ts");
      const { startMappings } = await import("./lambda/event-source-mapping/mappings.ts");
      const endpoints = {
        S3: s3,
        SQS: sqs?.url,
        DYNAMODB: dynamo?.url,
        DYNAMODB_STREAMS: dynamo?.url,
        COGNITO_IDENTITY_PROVIDER: cognito?.url,
        STS: sts,
      };
      const created = await createFunctions({
        ...shared,
        graph: await withLocalAddresses(),
        root,
        folder: data.path,
        endpoints: await endpointsOf(withoutUndefined(endpoints)),
        secrets: data.secret,
        watch: options.watch ?? false,
      });
      stops.push(() => created.stop());
      const mappings = await startMappings({
        ...shared,
        queues: sqs?.queues,
        asynchronous,
        functions: created,
        dynamoEndpoint: dynamo?.url,
      });
      stops.push(() => mappings.stop());
      return created;
    }

    async function endpointsOf(urls: Record<string, string>) {
      const { functionEndpoint } = options;
      if (!functionEndpoint) return urls;
      const changed: Record<string, string> = {};
      for (const [service, url] of Object.entries(urls))
        changed[service] = await functionEndpoint(service, url);
      return changed;
    }

    async function withLocalAddresses() {
      if (!webSockets) return graph;
      const { withLocalAddresses } = await import("./websocket/local-addresses.ts");
      return withLocalAddresses(graph, webSockets.stages, webSockets.url);
    }

    async function createRestApis() {
      if (resourcesOf(graph, "aws:apigateway/stage:Stage").length === 0) return undefined;
      const { createGateway } = await import("./apigateway/gateway.ts");
      const { compileKeys } = await import("./apigateway/compile-usage-plans.ts");
      const created = createGateway({
        ...shared,
        log,
        functions: { invoke: callFromApi },
        asynchronous,
        userPools: cognito?.userPools,
        endpoints: { s3 },
        secret: data.secret,
        logFolder: join(data.path, "logs"),
      });
      stops.push(() => created.stop());
      const server = createServer(
        { maxHeaderSize: MAX_HEADER_BYTES },
        (req, res) => void created.handle(req, res),
      );
      return { ...created, server, keys: compileKeys({ graph, secret: data.secret }) };
    }
  } catch (error) {
    await stop();
    // a start that is refused leaves nothing behind
    if (madeFolder) rmSync(madeFolder, { recursive: true });
    throw toStartError(error, resolve(options.data)) ?? error;
  }
}

function existing<Service>(cognito: Service | undefined): Service {
  if (!cognito) throw new Error("the resource graph has no user pool");
  return cognito;
}

async function refuseInvoke(functionArn: string): Promise<never> {
  throw new Error(`There is no function ${functionArn} in the resource graph`);
}

const withoutUndefined = (urls: Record<string, string | undefined>) =>
  Object.fromEntries(
    Object.entries(urls).flatMap(([name, url]) => (url ? [[name, url]] : [])),
  ) as Record<string, string>;
