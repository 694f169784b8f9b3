import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { crc32 } from "node:zlib";

import type { Clock } from "../clock.ts";
import { changeRefusal } from "../graph/change-refusal.ts";
import { type RequestAccess, createRequestAccess } from "../iam/request-access.ts";
import { parseInput, parseTarget, readRequestBody, sendError } from "../json-protocol.ts";
import { ServiceError } from "../service-error.ts";
import type { Principal, Principals } from "../iam/principals.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { traceCall } from "../xray/trace-service-call.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { StartError } from "../start-error.ts";
import { type TableLookup, requiredPermissions, contextKeys } from "./required-permissions.ts";
import { type Answer, type Engine, readText } from "./engine.ts";
import * as Streams from "./streams.ts";
import type { Table } from "./tables.ts";

type ProxyOptions = {
  graph: ResourceGraph;
  engine: Engine;
  tables: readonly Table[];
  streams: Streams.Streams;
  hasExpired: Streams.HasExpired;
  principals: Principals;
  clock: Clock;
  log: Log;
  traces?: TraceStore | undefined;
};

/** 16 MB: the largest request that DynamoDB accepts, a batch of 25 items of 400 KB each, in JSON. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Returns a server that checks the signature and the permissions of each request and passes it on to the engine.
 * @throws StartError for a policy with a condition key of DynamoDB that is not emulated
 */
export function createAuthorizingProxy(options: ProxyOptions): Server {
  const { graph, principals, clock, log } = options;
  const access = createRequestAccess({
    service: "dynamodb",
    region: graph.region,
    principals,
    clock,
    log,
  });
  const arnOf = (name: string) =>
    options.tables.find((table) => table.name === name)?.arn ??
    `arn:aws:dynamodb:${graph.region}:${graph.account}:table/${name}`;
  for (const principal of principals.list()) rejectUnknownConditionKeys(principal);
  const context: ProxyContext = { ...options, access, lookup: { tables: options.tables, arnOf } };

  const server = createServer((request, response) => {
    handle(context, request, response).catch((error: unknown) => sendError(response, error, log));
  });
  // longer than any SDK keeps an idle socket, so that the server does not close one that is about to be used
  server.keepAliveTimeout = 75_000;
  return server;
}

type ProxyContext = ProxyOptions & { access: RequestAccess; lookup: TableLookup };

async function handle(context: ProxyContext, request: IncomingMessage, response: ServerResponse) {
  const { prefix, operation } = parseTarget(request);
  const call = traceCall(context.traces, "DynamoDB", context.graph.region, request, response);
  call.operation = operation;
  const body = await readRequestBody(request, MAX_BODY_BYTES);
  const principal = context.access.authenticate(request, body);
  if (prefix === "DynamoDBStreams_20120810") {
    const answer = await handleStreamCall(context, principal, operation, parseInput(body));
    sendText(response, 200, JSON.stringify(answer));
    return;
  }

  const tableInput = prefix === "DynamoDB_20120810" ? parseInput(body) : undefined;
  const permissions = tableInput && requiredPermissions(operation, tableInput, context.lookup);
  const tables = tableNamesIn(permissions);
  if (tables.length > 0) call.details = { table_name: tables[0], resource_names: tables };
  if (!permissions) throw unknownOperation(operation);
  for (const ask of permissions) context.access.authorize(principal, ask);

  const answer = await context.engine.pass(`${prefix}.${operation}`, body);
  // only descriptions contain ARNs; other responses are passed on unchanged
  if (operation.startsWith("Describe")) {
    const text = withGraphArns(context, await readText(answer));
    sendText(response, answer.statusCode ?? 500, text);
    return;
  }
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(response);
}

/** Returns the table names in the ARNs of tables and indexes. */
const tableNamesIn = (permissions: { resource: string }[] = []) => [
  ...new Set(
    permissions.map(({ resource }) => resource.split("/")[1]).filter((name) => name !== undefined),
  ),
];

/** A condition on a key that is not filled in would always be evaluated as if the request did not have it. */
function rejectUnknownConditionKeys({ label, statements }: Principal): void {
  for (const { Condition = {} } of statements)
    for (const key of Object.values(Condition).flatMap(Object.keys))
      if (/^dynamodb:/i.test(key) && !contextKeys.has(key.toLowerCase()))
        throw new StartError(
          `The policy of ${label} has a condition on ${key}, which is not emulated; use one of ${[...contextKeys].join(", ")}.`,
        );
}

async function handleStreamCall(
  context: ProxyContext,
  principal: Principal,
  operation: string,
  input: Answer,
): Promise<Answer> {
  const { access, streams } = context;
  const action = `dynamodb:${operation}`;
  const pass = async (changed: object) => {
    const answer = await context.engine.pass(
      `DynamoDBStreams_20120810.${operation}`,
      JSON.stringify({ ...input, ...changed }),
    );
    const parsed = JSON.parse(await readText(answer)) as Answer;
    if (answer.statusCode === 200) return parsed;
    throw new ServiceError(parsed["__type"], parsed["message"] ?? "", answer.statusCode);
  };

  if (operation === "ListStreams") {
    access.authorize(principal, { action, resource: "*" });
    const answer = await pass({});
    return JSON.parse(withGraphArns(context, JSON.stringify(answer))) as Answer;
  }
  if (operation === "GetRecords") {
    const position = Streams.shardIterator.unwrap(input["ShardIterator"]);
    if (!position) throw invalid("Invalid ShardIterator");
    const { streamArn, inner } = position;
    access.authorize(principal, { action, resource: streamArn });
    const answer = await pass({ ShardIterator: inner });
    const table = context.tables.find((candidate) => candidate.stream?.arn === streamArn);
    const next = answer["NextShardIterator"];
    return {
      ...Streams.getRecords(answer, {
        region: context.graph.region,
        ...(table ? { table } : {}),
        hasExpired: context.hasExpired,
      }),
      ...(next ? { NextShardIterator: Streams.shardIterator.wrap(streamArn, next) } : {}),
    };
  }
  if (operation === "DescribeStream" || operation === "GetShardIterator") {
    const streamArn = String(input["StreamArn"]);
    access.authorize(principal, { action, resource: streamArn });
    const answer = await pass({ StreamArn: streams.toEngine(streamArn) });
    if (operation === "GetShardIterator")
      return { ShardIterator: Streams.shardIterator.wrap(streamArn, answer["ShardIterator"]) };
    const described = Streams.describeStream(answer);
    return JSON.parse(withGraphArns(context, JSON.stringify(described))) as Answer;
  }
  throw unknownOperation(operation);
}

/** The operations that would change a table itself, not its items. */
const tableChanges = ["CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive"];

const unknownOperation = (operation: string) =>
  new ServiceError(
    "com.amazon.coral.service#UnknownOperationException",
    tableChanges.includes(operation)
      ? changeRefusal(operation, "tables")
      : `dynamodb:${operation} is not emulated`,
  );

/** Replaces the engine's ARNs, which have another region and account, by those of the graph. */
function withGraphArns({ streams, lookup, tables }: ProxyContext, text: string): string {
  const described = text.replace(
    /arn:aws:dynamodb:[^:"]*:\d*:table\/([\w.-]+)(\/stream\/[^"]+)?/g,
    (arn, name: string, ofStream?: string) =>
      ofStream ? streams.fromEngine(arn) : lookup.arnOf(name),
  );
  // a stream's label is the last part of its ARN
  return tables.reduce((rest, { stream }) => {
    if (!stream) return rest;
    const label = (arn: string) => arn.split("/stream/").at(-1) ?? "";
    return rest.replaceAll(`"${label(streams.toEngine(stream.arn))}"`, `"${label(stream.arn)}"`);
  }, described);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(text),
    "x-amz-crc32": String(crc32(text)),
  });
  response.end(text);
}

const invalid = (message: string) =>
  new ServiceError("com.amazon.coral.validate#ValidationException", message);
