import { type IncomingMessage, STATUS_CODES } from "node:http";

import { headersByLowerCaseName, authorizeSignedRequest } from "../apigateway/authorizer/iam.ts";
import {
  assertAllowed,
  parseAuthorizerOutput,
} from "../apigateway/authorizer/authorizer-output.ts";
import * as RequestFields from "../apigateway/request-fields.ts";
import { withTimeout } from "../apigateway/integration/timeout.ts";
import type { Dependencies } from "../apigateway/dependencies.ts";
import * as Query from "../apigateway/query.ts";
import { GatewayError } from "../apigateway/gateway-error.ts";
import type { ConnectAuthorization } from "./compiled-api.ts";
import * as WebsocketEvent from "./websocket-event.ts";
import { invokeRoute } from "./invoke-route.ts";

type Needs = Pick<Dependencies, "graph" | "functions" | "principals" | "clock" | "log">;

/** The request for a connection. */
export type Handshake = { req: IncomingMessage; rawQuery: string };

/** Authorizes a handshake and invokes `$connect`. Returns the headers that `$connect` adds to the response. @throws GatewayError if the connection is refused. */
export async function acceptHandshake(
  peer: WebsocketEvent.ConnectionInfo,
  { req, rawQuery }: Handshake,
  dependencies: Needs,
): Promise<Record<string, string>> {
  const route = peer.api.routes.get("$connect");
  // without this route every connection is accepted [V-DOC]
  if (!route) return {};
  const now = dependencies.clock.now();
  const event = {
    ...WebsocketEvent.handshakeFields(req, rawQuery, peer),
    requestContext: WebsocketEvent.requestContext(peer, "$connect", "CONNECT", now),
    isBase64Encoded: false,
  };
  const arn = `${peer.api.executionArn}/${peer.api.stage}/$connect`;
  if (route.authorization.type === "AWS_IAM") {
    const headers = headersByLowerCaseName(RequestFields.rawHeaderFields(req));
    const signed = { method: "GET", url: req.url ?? "/", headers, body: "" };
    authorizeSignedRequest(signed, { action: "execute-api:Invoke", resource: arn }, dependencies);
  }
  if (route.authorization.type === "CUSTOM") {
    peer.authorizer = await callAuthorizer(
      route.authorization,
      event,
      arn,
      { rawQuery, req },
      dependencies,
      peer,
    );
    Object.assign(event.requestContext, { authorizer: peer.authorizer });
  }
  const { statusCode, headers } = await invokeRoute(route, event, dependencies.functions);
  if (statusCode >= 400)
    throw new GatewayError("ACCESS_DENIED", {
      status: statusCode,
      text: STATUS_CODES[statusCode] ?? "Forbidden",
      errorType: statusCode < 500 ? "ForbiddenException" : "InternalServerErrorException",
    });
  return headers;
}

/** Calls a REQUEST authorizer; its output is not cached. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html */
async function callAuthorizer(
  authorizer: ConnectAuthorization & { type: "CUSTOM" },
  event: object,
  methodArn: string,
  handshake: Handshake,
  { functions, clock }: Needs,
  peer: WebsocketEvent.ConnectionInfo,
): Promise<Record<string, unknown>> {
  // a missing source is 401 without calling the function [V-DOC]
  if (authorizer.identitySources.some((source) => !find(source, handshake, peer)))
    throw new GatewayError("UNAUTHORIZED");
  if (!authorizer.isPermitted) throw new GatewayError("AUTHORIZER_CONFIGURATION_ERROR");
  const started = clock.now();
  const payload = JSON.stringify({ type: "REQUEST", methodArn, ...event });
  const result = await withTimeout(29_000, functions.invoke(authorizer.functionArn, payload)).catch(
    (cause) => {
      throw new GatewayError("AUTHORIZER_FAILURE", { cause });
    },
  );
  if (result.kind === "error" && result.errorMessage === "Unauthorized")
    throw new GatewayError("UNAUTHORIZED");
  if (result.kind !== "ok") throw new GatewayError("AUTHORIZER_FAILURE");
  const output = parseAuthorizerOutput(result.payload);
  assertAllowed(output, methodArn);
  return {
    principalId: output.principalId,
    ...output.context,
    integrationLatency: Math.round(clock.now() - started),
  };
}

function find(
  source: string,
  { req, rawQuery }: Handshake,
  { api }: WebsocketEvent.ConnectionInfo,
) {
  const [, place, name = ""] = /^(?:route\.request\.)?(\w+)\.(.+)$/.exec(source) ?? [];
  switch (place) {
    case "header":
      return req.headers[name.toLowerCase()]?.toString();
    case "querystring":
      return Query.parse(rawQuery)?.[name]?.at(-1);
    case "stageVariables":
      return api.variables?.[name];
    default:
      return undefined;
  }
}
