import type { Principal } from "./iam/principals.ts";
import type { ResourceType } from "./graph/resource-types.ts";
import { type ResourceGraph, resourcesOf } from "./graph/resource-graph.ts";

/** Where everything is: for front ends, tests and people. A part that the graph does not have is absent. */
export type Local = {
  /** With the stage, without a slash at the end. */
  api: string;
  region: string;
  cognito?: { endpoint: string; userPoolId: string; clientId: string };
  s3?: { endpoint: string; bucket: string };
  dynamodb?: { endpoint: string; table: string };
  sts?: { endpoint: string };
  sqs?: { endpoint: string; queues: Record<string, string> };
  /** WebSocket APIs by name. `@connections` is at the same address, with `http`. */
  webSockets?: Record<string, string>;
  /** The values of API keys by name. */
  apiKeys?: Record<string, string>;
  /** A principal of this laptop that may do anything. */
  iam: { accessKeyId: string; secretAccessKey: string };
};

type Urls = { api: string; s3: string; cognito: string; dynamodb: string; sqs: string };

export function describe(
  graph: ResourceGraph,
  urls: Urls,
  stages: { path: string }[],
  operator: Principal,
): Local {
  const first = (type: ResourceType) => resourcesOf(graph, type)[0]?.id;
  const userPoolId = first("aws:cognito/userPool:UserPool");
  const clientId = first("aws:cognito/userPoolClient:UserPoolClient");
  const bucket = first("aws:s3/bucket:Bucket");
  const table = first("aws:dynamodb/table:Table");
  const queues = resourcesOf(graph, "aws:sqs/queue:Queue").map(({ name, id }) => [
    name.replace(/Queue$/, ""),
    `${urls.sqs}${new URL(id).pathname}`,
  ]);
  return {
    api: `${urls.api}${stages[0]?.path ?? ""}`,
    region: graph.region,
    ...(userPoolId && clientId && { cognito: { endpoint: urls.cognito, userPoolId, clientId } }),
    ...(bucket && { s3: { endpoint: urls.s3, bucket } }),
    ...(table && { dynamodb: { endpoint: urls.dynamodb, table } }),
    ...(queues.length > 0 && { sqs: { endpoint: urls.sqs, queues: Object.fromEntries(queues) } }),
    iam: { accessKeyId: operator.accessKeyId, secretAccessKey: operator.secretAccessKey },
  };
}

export function addressesOf(stages: { apiName: string; path: string }[], url: string) {
  if (stages.length === 0) return {};
  const origin = url.replace(/^http/, "ws");
  return {
    webSockets: Object.fromEntries(stages.map(({ apiName, path }) => [apiName, origin + path])),
  };
}

export function valuesOf(keys: { name: string; value: string }[]) {
  if (keys.length === 0) return {};
  return { apiKeys: Object.fromEntries(keys.map(({ name, value }) => [name, value])) };
}
