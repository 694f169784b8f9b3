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
import { type Asking, asks, contextKeys } from "./actions.ts";
import { type Answer, type Engine, readText } from "./engine.ts";
import * as Streams from "./streams.ts";
import type { Table } from "./tables.ts";

type Parts = {
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

/** 16 MB, the most that a batch of 25 items of 400 KB with its JSON around it may take. */
const MAX_BODY = 16 * 1024 * 1024;

/** The door in front of the engine: whose request it is, whether that role may, then on to the engine. */
export function createDynamoGuard(parts: Parts): Server {
  const { graph, principals, clock, log } = parts;
  const guard = createRequestAccess({
    service: "dynamodb",
    region: graph.region,
    principals,
    clock,
    log,
  });
  const arnOf = (name: string) =>
    parts.tables.find((table) => table.name === name)?.arn ??
    `arn:aws:dynamodb:${graph.region}:${graph.account}:table/${name}`;
  for (const principal of principals.list()) refuseUnknownKeys(principal);
  const front: Front = { ...parts, guard, asking: { tables: parts.tables, arnOf } };

  const server = createServer((request, response) => {
    handle(front, request, response).catch((error: unknown) => sendError(response, error, log));
  });
  // longer than any SDK keeps a socket, so that none is closed under a request that is about to be sent
  server.keepAliveTimeout = 75_000;
  return server;
}

type Front = Parts & { guard: RequestAccess; asking: Asking };

async function handle(front: Front, request: IncomingMessage, response: ServerResponse) {
  const { prefix, operation } = parseTarget(request);
  const call = traceCall(front.traces, "DynamoDB", front.graph.region, request, response);
  call.operation = operation;
  const body = await readRequestBody(request, MAX_BODY);
  const principal = front.guard.authenticate(request, body);
  if (prefix === "DynamoDBStreams_20120810") {
    const answer = await stream(front, principal, operation, parseInput(body));
    sendText(response, 200, JSON.stringify(answer));
    return;
  }

  const asked = prefix === "DynamoDB_20120810" ? parseInput(body) : undefined;
  const needed = asked && asks(operation, asked, front.asking);
  const tables = tablesOf(needed);
  if (tables.length > 0) call.details = { table_name: tables[0], resource_names: tables };
  if (!needed) throw unknownOperation(operation);
  for (const ask of needed) front.guard.authorize(principal, ask);

  const answer = await front.engine.pass(`${prefix}.${operation}`, body);
  // only a description names ARNs; items go through untouched
  if (operation.startsWith("Describe")) {
    const text = withOurArns(front, await readText(answer));
    sendText(response, answer.statusCode ?? 500, text);
    return;
  }
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(response);
}

/** By name: what is asked for names tables and their indexes by ARN. */
const tablesOf = (needed: { resource: string }[] = []) => [
  ...new Set(
    needed.map(({ resource }) => resource.split("/")[1]).filter((name) => name !== undefined),
  ),
];

/** A condition on what is not looked at here would be decided as if the request said nothing. */
function refuseUnknownKeys({ label, statements }: Principal): void {
  for (const { Condition = {} } of statements)
    for (const key of Object.values(Condition).flatMap(Object.keys))
      if (/^dynamodb:/i.test(key) && !contextKeys.has(key.toLowerCase()))
        throw new StartError(`The policy of ${label} has a condition on ${key}: not emulated.`);
}

async function stream(
  front: Front,
  principal: Principal,
  operation: string,
  input: Answer,
): Promise<Answer> {
  const { guard, streams } = front;
  const action = `dynamodb:${operation}`;
  const pass = async (changed: object) => {
    const answer = await front.engine.pass(
      `DynamoDBStreams_20120810.${operation}`,
      JSON.stringify({ ...input, ...changed }),
    );
    const parsed = JSON.parse(await readText(answer)) as Answer;
    if (answer.statusCode === 200) return parsed;
    throw new ServiceError(parsed["__type"], parsed["message"] ?? "", answer.statusCode);
  };

  if (operation === "ListStreams") {
    guard.authorize(principal, { action, resource: "*" });
    const answer = await pass({});
    return JSON.parse(withOurArns(front, JSON.stringify(answer))) as Answer;
  }
  if (operation === "GetRecords") {
    const position = Streams.iterator.unwrap(input["ShardIterator"]);
    if (!position) throw invalid("Invalid ShardIterator");
    const { streamArn, inner } = position;
    guard.authorize(principal, { action, resource: streamArn });
    const answer = await pass({ ShardIterator: inner });
    const table = front.tables.find((candidate) => candidate.stream?.arn === streamArn);
    const next = answer["NextShardIterator"];
    return {
      ...Streams.getRecords(answer, {
        region: front.graph.region,
        ...(table ? { table } : {}),
        hasExpired: front.hasExpired,
      }),
      ...(next ? { NextShardIterator: Streams.iterator.wrap(streamArn, next) } : {}),
    };
  }
  if (operation === "DescribeStream" || operation === "GetShardIterator") {
    const streamArn = String(input["StreamArn"]);
    guard.authorize(principal, { action, resource: streamArn });
    const answer = await pass({ StreamArn: streams.toEngine(streamArn) });
    if (operation === "GetShardIterator")
      return { ShardIterator: Streams.iterator.wrap(streamArn, answer["ShardIterator"]) };
    const described = Streams.describeStream(answer);
    return JSON.parse(withOurArns(front, JSON.stringify(described))) as Answer;
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

/** The engine has a region and an account of its own making. */
function withOurArns({ streams, asking, tables }: Front, text: string): string {
  const described = text.replace(
    /arn:aws:dynamodb:[^:"]*:\d*:table\/([\w.-]+)(\/stream\/[^"]+)?/g,
    (arn, name: string, ofStream?: string) =>
      ofStream ? streams.fromEngine(arn) : asking.arnOf(name),
  );
  // a label is the last part of its stream's ARN
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
