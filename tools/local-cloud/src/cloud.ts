import { createServer } from "node:http";
import { join } from "node:path";

import { createClock, type Clock } from "./clock.ts";
import { openDataFolder } from "./data-folder.ts";
import { createAsynchronousEvents } from "./lambda/asynchronous/invocations.ts";
import { createNotifications } from "./s3/notifications.ts";
import { startMappings } from "./lambda/event-source-mapping/mappings.ts";
import { createQueues } from "./sqs/queues.ts";
import { createSqs } from "./sqs/sqs.ts";
import { createGateway } from "./apigateway/gateway.ts";
import { compileKeys } from "./apigateway/compile-usage.ts";
import { type UserPools, createUserPools } from "./cognito/cognito.ts";
import { createPrincipals } from "./iam/principals.ts";
import { createSts } from "./iam/sts.ts";
import { type Functions, createFunctions } from "./lambda/functions.ts";
import { close, listen } from "./listen.ts";
import { type Local, addressesOf, describe, valuesOf } from "./addresses.ts";
import { consoleLog, type Log, silentLog } from "./log.ts";
import { type ResourceGraph, loadGraph } from "./graph/resource-graph.ts";
import { StartError } from "./start-error.ts";
import { startDynamo } from "./dynamodb/dynamodb.ts";
import { createS3 } from "./s3/server.ts";
import { findTrace } from "./xray/find-trace.ts";
import { printTrace } from "./xray/print-trace.ts";
import { openTraceStore } from "./xray/trace-store.ts";
import { withAddresses } from "./websocket/address.ts";
import { createWebSockets } from "./websocket/server.ts";

export { onOrphaned } from "./parent-exit.ts";
export { consoleLog, loadGraph, silentLog, StartError };
export type { Local, Log, ResourceGraph };

export type CloudOptions = {
  graph: ResourceGraph;
  /** The folder that the handlers' paths start from. */
  root: string;
  /** Where all state is kept; one cloud at a time uses it. */
  data: string;
  /** The gateway's port; S3, DynamoDB, Cognito, SQS and, if there are any, WebSocket APIs take the ones after it, STS the sixth. 0 takes free ones. */
  port?: number;
  log?: Log;
  clock?: Clock;
  /** Follow the handlers' sources: a saved file is live within two seconds. */
  watch?: boolean;
  /** Called with the ARN of each function that a gateway calls. */
  invoked?: (functionArn: string) => void;
  /** Called as each part comes up, with what it is and where. */
  progress?: (step: string) => void;
};

export type Cloud = {
  local: Local;
  clock: Clock;
  /** A person who can sign in at once; the same name again changes nothing. */
  createUser(user: { name: string; password: string; email: string }): void;
  /** A session of such a person without signing in: with other scopes, or one that began in the past. */
  issueTokens: UserPools["issue"];
  /** Calls a function as the operator would, past every trigger. */
  invoke(functionArn: string, payload: string): Promise<unknown>;
  stop(): Promise<void>;
};

/** Far above the gateway's own limits, so that it is the gateway that refuses. */
const MAX_HEAD_BYTES = 256 * 1024;

/** The trace of one request of a cloud that keeps its state in `data`, as text; undefined when nothing is known of it. */
export function showTrace({ data, graph, id }: { data: string; graph: ResourceGraph; id: string }) {
  const trace = findTrace(data, id);
  const names = Object.entries(graph.functions).map(([arn, { name }]) => [arn, name]);
  return trace && printTrace(trace, Object.fromEntries(names));
}

type Callable = Pick<Functions, "invoke">;

/** The resource graph, running on this machine: what is in the graph exists, what is not does not. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { graph, root, port = 0, log = silentLog, progress = () => {} } = options;
  const clock = options.clock ?? createClock();
  const portOf = (offset: number) => (port === 0 ? 0 : port + offset);
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopPart of stops.splice(0).toReversed()) await stopPart();
  };

  try {
    const data = openDataFolder(options.data);
    stops.push(() => data.close());
    const { db } = data;
    const principals = createPrincipals({ graph, db });
    // a line per request is the gateway's; what its functions ask of S3 and Cognito is told when it fails in them
    const request: Log["request"] = (line) => void (line.status >= 500 && log.request(line));
    const traces = openTraceStore(data.path, (message) => log.warn(message));
    stops.push(() => traces.stop());
    const parts = { graph, db, principals, clock, traces, log: { ...log, request } };

    const userPools = createUserPools(parts);
    const queues = createQueues(parts);
    const sqs = await open(createSqs({ ...parts, queues }), 4, "SQS");
    const sts = await open(createSts(parts), 6, "STS");
    const asynchronous = createAsynchronousEvents(db, clock);
    const notifications = createNotifications({ ...parts, queues, asynchronous });
    const s3Server = createS3({
      ...parts,
      folder: join(data.path, "s3"),
      notify: notifications.notify,
    });
    stops.push(() => s3Server.stop());
    const s3 = await open(s3Server.server, 1, "S3");
    const cognito = await open(
      createServer((req, res) => void userPools.handle(req, res)),
      3,
      "Cognito",
    );
    const dynamo = await startDynamo({
      ...parts,
      folder: data.path,
      port: portOf(2),
    });
    stops.push(() => dynamo.close());
    progress(`DynamoDB  ${dynamo.url}`);

    // its address is known before the functions that speak to it, what it calls is there after them
    const { promise: callable, resolve: provide } = Promise.withResolvers<Callable>();
    const webSockets = createWebSockets({
      ...parts,
      log,
      functions: { invoke: async (...call) => (await callable).invoke(...call) },
    });
    const socketUrl =
      webSockets.stages.length > 0 ? await open(webSockets.server, 5, "WebSocket") : "";
    const functions = await createFunctions({
      ...parts,
      graph: withAddresses(graph, webSockets.stages, socketUrl),
      root,
      folder: data.path,
      endpoints: {
        S3: s3,
        SQS: sqs,
        STS: sts,
        DYNAMODB: dynamo.url,
        DYNAMODB_STREAMS: dynamo.url,
        COGNITO_IDENTITY_PROVIDER: cognito,
      },
      secrets: data.secret,
      watch: options.watch ?? false,
    });
    stops.push(() => functions.stop());
    const mappings = await startMappings({
      ...parts,
      queues,
      asynchronous,
      functions,
      dynamoEndpoint: dynamo.url,
    });
    stops.push(() => mappings.stop());
    stops.push(() => webSockets.stop());
    const called: Callable = {
      invoke(functionArn, payload, more) {
        options.invoked?.(functionArn);
        return functions.invoke(functionArn, payload, more);
      },
    };
    provide(called);
    const gateway = createGateway({
      ...parts,
      log,
      functions: called,
      asynchronous,
      userPools,
      endpoints: { s3 },
      secret: data.secret,
      logFolder: join(data.path, "logs"),
    });
    stops.push(() => gateway.stop());
    await functions.ready;
    progress(`functions ${Object.values(functions.names).join(", ")}`);
    // last, so that whoever finds the port open finds everything behind it
    const api = await open(
      createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (req, res) => void gateway.handle(req, res)),
      0,
      "API",
    );

    return {
      local: {
        ...describe(
          graph,
          { api, s3, cognito, dynamodb: dynamo.url, sqs },
          gateway.stages,
          principals.operator,
        ),
        sts: { endpoint: sts },
        ...addressesOf(webSockets.stages, socketUrl),
        ...valuesOf(compileKeys({ graph, secret: data.secret })),
      },
      clock,
      createUser: (user) => userPools.createUser(user),
      issueTokens: (name, of) => userPools.issue(name, of),
      invoke: (functionArn, payload) => functions.invoke(functionArn, payload),
      stop,
    };

    async function open(server: ReturnType<typeof createServer>, offset: number, what: string) {
      const url = `http://127.0.0.1:${await listen(server, portOf(offset), what)}`;
      stops.push(() => close(server));
      progress(`${what.padEnd(9)} ${url}`);
      return url;
    }
  } catch (error) {
    await stop();
    throw error;
  }
}
