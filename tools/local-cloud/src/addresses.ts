import { type ResourceGraph, resourcesOf } from "./graph/resource-graph.ts";
import type { Principal } from "./iam/principals.ts";

/** Where everything is: for front ends, tests and people. A part that the graph does not have is absent. */
export type CloudAddresses = {
  /** The first stage of a REST API: with the stage, without a slash at the end. */
  api?: string;
  region: string;
  cognito?: { endpoint: string; userPoolId: string; clientId: string };
  s3?: { endpoint: string; bucket: string };
  dynamodb?: { endpoint: string; table: string };
  /** The URLs of the queues by name. */
  sqs?: { endpoint: string; queues: Record<string, string> };
  /** Answers GetCallerIdentity to every principal. */
  sts: { endpoint: string };
  /** WebSocket APIs by name. `@connections` is at the same address, with `http`. */
  webSockets?: Record<string, string>;
  /** The values of API keys by name. */
  apiKeys?: Record<string, string>;
  /** The credentials of the operator, who may do everything. */
  iam: { accessKeyId: string; secretAccessKey: string };
};

type Services = {
  graph: ResourceGraph;
  operator: Principal;
  /** With the stage. */
  api: string | undefined;
  cognito: string | undefined;
  s3: string | undefined;
  dynamodb: string | undefined;
  sqs: string | undefined;
  sts: string;
  webSockets: { url: string; stages: { apiName: string; path: string }[] } | undefined;
  apiKeys: { name: string; value: string }[] | undefined;
};

/** Returns the addresses of the services that have started, with the first resource of each. */
export function addressesOf(services: Services): CloudAddresses {
  const {
    graph,
    operator,
    api,
    cognito,
    s3,
    dynamodb,
    sqs,
    sts,
    webSockets,
    apiKeys = [],
  } = services;
  const userPoolId = resourcesOf(graph, "aws:cognito/userPool:UserPool")[0]?.id;
  const clientId = resourcesOf(graph, "aws:cognito/userPoolClient:UserPoolClient")[0]?.id;
  const bucket = resourcesOf(graph, "aws:s3/bucket:Bucket")[0]?.id;
  const table = resourcesOf(graph, "aws:dynamodb/table:Table")[0]?.id;
  return {
    ...(api && { api }),
    region: graph.region,
    ...(cognito &&
      userPoolId &&
      clientId && { cognito: { endpoint: cognito, userPoolId, clientId } }),
    ...(s3 && bucket && { s3: { endpoint: s3, bucket } }),
    ...(dynamodb && table && { dynamodb: { endpoint: dynamodb, table } }),
    ...(sqs && { sqs: { endpoint: sqs, queues: queueUrls(graph, sqs) } }),
    sts: { endpoint: sts },
    ...(webSockets && { webSockets: webSocketUrls(webSockets) }),
    ...(apiKeys.length > 0 && {
      apiKeys: Object.fromEntries(apiKeys.map(({ name, value }) => [name, value])),
    }),
    iam: { accessKeyId: operator.accessKeyId, secretAccessKey: operator.secretAccessKey },
  };
}

const queueUrls = (graph: ResourceGraph, endpoint: string) =>
  Object.fromEntries(
    resourcesOf(graph, "aws:sqs/queue:Queue").map(({ name, id }) => [
      // SST adds the word to the name that the program gives
      name.replace(/Queue$/, ""),
      `${endpoint}${new URL(id).pathname}`,
    ]),
  );

const webSocketUrls = ({ url, stages }: NonNullable<Services["webSockets"]>) =>
  Object.fromEntries(
    stages.map(({ apiName, path }) => [apiName, `${url.replace(/^http/, "ws")}${path}`]),
  );
