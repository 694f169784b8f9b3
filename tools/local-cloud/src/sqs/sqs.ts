import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

import type { Clock } from "../clock.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import type { Principal, Principals } from "../iam/principals.ts";
import { createRequestAccess } from "../iam/request-access.ts";
import { readRequestBody } from "../json-protocol.ts";
import type { Log } from "../log.ts";
import { ServiceError, toServiceError } from "../service-error.ts";
import { traceHeaderOf, traceCall } from "../xray/trace-service-call.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { actions } from "./actions.ts";
import { protocolOf } from "./protocol.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { Queues } from "./queues.ts";

/** Ten messages of 1 MiB fit, so that SQS's own limit on a batch refuses them with its own message. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Returns the HTTP server of the queues. It checks each request against the client's role and the queue's policy. */
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
  traces?: TraceStore | undefined;
}): Server {
  const access = createRequestAccess({
    service: "sqs",
    region: graph.region,
    principals,
    clock,
    log,
    // as recorded: https://github.com/aws/serverless-application-model/issues/3633
    actionInMessage: (action) => action.toLowerCase(),
  });

  const authorize = (principal: Principal, queue: QueueSettings, names: string[]) => {
    for (const name of names)
      access.authorize(principal, { action: `sqs:${name}`, resource: queue.arn }, queue.policy);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const protocol = protocolOf(request);
    const traced = traceCall(traces, "SQS", graph.region, request, response);
    const body = await readRequestBody(request, MAX_BODY_BYTES);
    const principal = access.authenticate(request, body);
    const { action: name, input } = protocol.parse(request, body);
    traced.operation = name;
    const action = actions.get(name);
    if (!action)
      throw new ServiceError(
        "com.amazonaws.sqs#UnsupportedOperation",
        `sqs:${name} is not emulated; the local cloud answers ${[...actions.keys()].join(", ")}`,
      );
    if (input.QueueUrl !== undefined)
      traced.details = { queue_url: input.QueueUrl, resource_names: [pathOf(input.QueueUrl)] };
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    const { result, undo } = await action({
      input,
      queues,
      principal,
      signal: closed.signal,
      traceHeader: traceHeaderOf(request),
      queueOf: (url = input.QueueUrl) => findQueue(queues, url),
      urlOf: ({ url }) => `http://${request.headers.host}${pathOf(url)}`,
      authorize: (queue, ...names) => authorize(principal, queue, names),
      authorizeAny: (anyAction) =>
        access.authorize(principal, {
          action: `sqs:${anyAction}`,
          resource: `arn:aws:sqs:${graph.region}:${graph.account}:*`,
        }),
    });
    // a client that closed the connection while a message was found for it must not hide it from the others
    if (undo) response.once("close", () => response.writableFinished || undo());
    if (closed.signal.aborted) undo?.();
    else protocol.sendResult(response, name, result);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((cause: unknown) => {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const error = withSqsStatus(toServiceError(cause, log));
      protocolOf(request).sendError(response, error, queryCode(error));
    });
  });
  // longer than any SDK keeps a socket, so that none is closed under a request that is about to be sent
  server.keepAliveTimeout = 75_000;
  return server;
}

/** Compares account and name only: a client may know the queue under another host. */
function findQueue(queues: Queues, url: unknown): QueueSettings {
  const found = queues.list().find((queue) => pathOf(queue.url) === pathOf(url));
  if (found) return found;
  throw new ServiceError(
    "com.amazonaws.sqs#QueueDoesNotExist",
    "The specified queue does not exist.",
  );
}

const pathOf = (url: unknown) =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).pathname : undefined;

/** SQS answers 403 where it rejects a client; the other JSON services answer 400. */
function withSqsStatus(error: ServiceError): ServiceError {
  const isRejection = /AccessDenied|UnrecognizedClient|Signature|MissingAuthentication/;
  return isRejection.test(error.type) ? new ServiceError(error.type, error.message, 403) : error;
}

function queryCode({ type }: ServiceError): string {
  const name = type.split("#").at(-1) ?? "";
  return queryCodes[name] ?? name;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html */
const queryCodes: Record<string, string> = {
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
