import { randomUUID } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

import type { Clock } from "../clock.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { readRequestBody } from "../json-protocol.ts";
import type { Log } from "../log.ts";
import { isQueryRequest, parseForm, sendQueryError, sendQueryResult } from "../query-protocol.ts";
import { ServiceError, toServiceError } from "../service-error.ts";
import type { Principal, Principals } from "./principals.ts";
import { createRequestAccess } from "./request-access.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Far more than any request of this service has. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Returns the HTTP server of the Security Token Service. It answers GetCallerIdentity, which every principal may call:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export function createSts({
  graph,
  principals,
  clock,
  log,
}: {
  graph: ResourceGraph;
  principals: Principals;
  clock: Clock;
  log: Log;
}): Server {
  const access = createRequestAccess({
    service: "sts",
    region: graph.region,
    principals,
    clock,
    log,
  });

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readRequestBody(request, MAX_BODY_BYTES);
    const principal = access.authenticate(request, body);
    const isForm = isQueryRequest(request.headers["content-type"]);
    const action = isForm ? (parseForm(body).get("Action") ?? "") : "";
    if (action !== "GetCallerIdentity")
      throw new ServiceError(
        "InvalidAction",
        `sts:${action} is not emulated; the local cloud answers GetCallerIdentity. A function has the credentials of its role already.`,
      );
    const identity = identityOf(principal, graph.account);
    sendQueryResult(response, action, NAMESPACE, identity, randomUUID());
  };

  return createServer((request, response) => {
    handle(request, response).catch((cause: unknown) => {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const { type, status, message } = toServiceError(cause, log);
      const name = type.split("#").at(-1) ?? type;
      const error = {
        status: rejections[name] ? 403 : status,
        code: rejections[name] ?? name,
        message,
      };
      sendQueryError(response, NAMESPACE, error, randomUUID());
    });
  });
}

function identityOf({ arn, accessKeyId }: Principal, account: string) {
  const session = /:assumed-role\/.*\/([^/]+)$/.exec(arn)?.[1];
  const unique = accessKeyId.slice(4);
  const UserId = session === undefined ? `AIDA${unique}` : `AROA${unique}:${session}`;
  return { Arn: arn, UserId, Account: account };
}

/** Codes of the query protocol: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
const rejections: Record<string, string> = {
  UnrecognizedClientException: "InvalidClientTokenId",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "MissingAuthenticationToken",
  IncompleteSignatureException: "IncompleteSignature",
};
