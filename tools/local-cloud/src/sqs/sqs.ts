import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

import type { Clock } from "../clock.ts";
import {
  ServiceError,
  createRequestAccess,
  parseInput,
  readBody,
  sendJson,
  sendError,
  parseTarget,
} from "../iam/request-access.ts";
import type { Principal, Principals } from "../iam/principals.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { headerOf, traceCall } from "../xray/trace-service-call.ts";
import type { Traces } from "../xray/trace-store.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { Queues } from "./queues.ts";
import { type Input, type Operation, operations } from "./operations.ts";

/** A batch of ten messages of 1 MiB each is refused by SQS too, but with its own words. */
const MAX_BODY = 16 * 1024 * 1024;

/** SQS's JSON protocol in front of the queues, as the SDK speaks it; each request is held against its role and the queue's policy. */
export function createSqs({
  graph,
  queues,
  principals,
  clock,
  log,
  traces,
}: {
  graph: ResourceGraph;
  queues: Queues;
  principals: Principals;
  clock: Clock;
  log: Log;
  traces?: Traces | undefined;
}): Server {
  const guard = createRequestAccess({
    service: "sqs",
    region: graph.region,
    principals,
    clock,
    log,
    // as recorded: https://github.com/aws/serverless-application-model/issues/3633
    actionInMessage: (action) => action.toLowerCase(),
  });

  const permit = (principal: Principal, queue: QueueSettings, actions: string[]) => {
    for (const action of actions)
      guard.authorize(principal, { action: `sqs:${action}`, resource: queue.arn }, queue.policy);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { operation: name } = parseTarget(request);
    const traced = traceCall(traces, "SQS", graph.region, request, response);
    traced.operation = name;
    const body = await readBody(request, MAX_BODY);
    const principal = guard.authenticate(request, body);
    const operation: Operation | undefined = operations[name];
    if (!operation)
      throw new ServiceError(
        "com.amazonaws.sqs#UnsupportedOperation",
        `sqs:${name} is not emulated`,
      );
    const input = parseInput(body) as Input;
    if (input.QueueUrl !== undefined)
      traced.about = { queue_url: input.QueueUrl, resource_names: [path(input.QueueUrl)] };
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const call = {
      input,
      queues,
      principal,
      signal: gone.signal,
      traceHeader: headerOf(request),
      queue: (url = input.QueueUrl) => queueOf(queues, url),
      urlOf: ({ url }: QueueSettings) => `http://${request.headers.host}${path(url)}`,
      permit: (queue: QueueSettings, ...actions: string[]) => permit(principal, queue, actions),
      permitAny: (action: string) =>
        guard.authorize(principal, {
          action: `sqs:${action}`,
          resource: `arn:aws:sqs:${graph.region}:${graph.account}:*`,
        }),
    };
    const { answer, undo } = await operation(call);
    // a client that hung up while a message was found for it must not hide it from the others
    if (undo) response.once("close", () => response.writableFinished || undo());
    if (gone.signal.aborted) undo?.();
    else sendJson(response, 200, answer);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      sendError(response, worded(error), log, headers),
    );
  });
  // longer than any SDK keeps a socket, so that none is closed under a request that is about to be sent
  server.keepAliveTimeout = 75_000;
  return server;
}

/** Only account and name in a URL matter. */
function queueOf(queues: Queues, url: unknown): QueueSettings {
  const found = queues.list().find((queue) => path(queue.url) === path(url));
  if (found) return found;
  throw new ServiceError(
    "com.amazonaws.sqs#QueueDoesNotExist",
    "The specified queue does not exist.",
  );
}

const path = (url: unknown) =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).pathname : undefined;

/** SQS answers 403 where it refuses a caller. */
function worded(error: unknown): unknown {
  const refuses = /AccessDenied|UnrecognizedClient|Signature|MissingAuthentication/;
  return error instanceof ServiceError && refuses.test(error.type)
    ? new ServiceError(error.type, error.message, 403)
    : error;
}

/** The names of the old query protocol, which the SDK still shows to its users. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html */
function headers({ type, status }: ServiceError): Record<string, string> {
  const name = type.split("#").at(-1) ?? "";
  const code = queryNames[name] ?? name;
  return { "x-amzn-query-error": `${code};${status >= 500 ? "Receiver" : "Sender"}` };
}

const queryNames: Record<string, string> = {
  AccessDeniedException: "AccessDenied",
  UnrecognizedClientException: "InvalidClientTokenId",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "MissingAuthenticationToken",
  IncompleteSignatureException: "IncompleteSignature",
  InvalidParameterValueException: "InvalidParameterValue",
  MissingRequiredParameterException: "MissingParameter",
  InternalFailure: "InternalFailure",
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  MessageNotInflight: "AWS.SimpleQueueService.MessageNotInflight",
  EmptyBatchRequest: "AWS.SimpleQueueService.EmptyBatchRequest",
  TooManyEntriesInBatchRequest: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
  BatchEntryIdsNotDistinct: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
  BatchRequestTooLong: "AWS.SimpleQueueService.BatchRequestTooLong",
  UnsupportedOperation: "AWS.SimpleQueueService.UnsupportedOperation",
};
