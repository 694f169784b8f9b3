import { type IncomingMessage, STATUS_CODES } from "node:http";

import { lowerCased, signer } from "../apigateway/authorizer/iam.ts";
import { enforce, parse } from "../apigateway/authorizer/verdict.ts";
import * as RequestContext from "../apigateway/request-context.ts";
import { within } from "../apigateway/integration/timeout.ts";
import type { Parts } from "../apigateway/dependencies.ts";
import * as Query from "../apigateway/query.ts";
import { Refusal } from "../apigateway/refusal.ts";
import type { Authorization } from "./definition.ts";
import * as Event from "./event.ts";
import { invoke } from "./invoke.ts";

type Needs = Pick<Parts, "graph" | "functions" | "principals" | "clock" | "log">;

/** What the client asked for. */
export type Handshake = { req: IncomingMessage; rawQuery: string };

/** Lets the client in, or throws a Refusal; answers the headers that `$connect` adds to the handshake. */
export async function admit(
  peer: Event.Peer,
  { req, rawQuery }: Handshake,
  parts: Needs,
): Promise<Record<string, string>> {
  const route = peer.api.routes.get("$connect");
  // without the route everybody is let in [V-DOC]
  if (!route) return {};
  const now = parts.clock.now();
  const event = {
    ...Event.handshake(req, rawQuery, peer),
    requestContext: Event.requestContext(peer, "$connect", "CONNECT", now),
    isBase64Encoded: false,
  };
  const arn = `${peer.api.executionArn}/${peer.api.stage}/$connect`;
  if (route.authorization.type === "AWS_IAM") {
    const headers = lowerCased(RequestContext.fields(req));
    const signed = { method: "GET", url: req.url ?? "/", headers, body: "" };
    signer(signed, { action: "execute-api:Invoke", resource: arn }, parts);
  }
  if (route.authorization.type === "CUSTOM") {
    peer.authorizer = await ask(route.authorization, event, arn, { rawQuery, req }, parts, peer);
    Object.assign(event.requestContext, { authorizer: peer.authorizer });
  }
  const { statusCode, headers } = await invoke(route, event, parts.functions);
  if (statusCode >= 400)
    throw new Refusal("ACCESS_DENIED", {
      status: statusCode,
      text: STATUS_CODES[statusCode] ?? "Forbidden",
      errorType: statusCode < 500 ? "ForbiddenException" : "InternalServerErrorException",
    });
  return headers;
}

/** REQUEST authorizers only, and nothing is cached. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html */
async function ask(
  authorizer: Authorization & { type: "CUSTOM" },
  event: object,
  methodArn: string,
  handshake: Handshake,
  { functions, clock }: Needs,
  peer: Event.Peer,
): Promise<Record<string, unknown>> {
  // a source that is missing is 401, and the function is not asked [V-DOC]
  if (authorizer.identitySources.some((source) => !find(source, handshake, peer)))
    throw new Refusal("UNAUTHORIZED");
  if (!authorizer.isPermitted) throw new Refusal("AUTHORIZER_CONFIGURATION_ERROR");
  const started = clock.now();
  const payload = JSON.stringify({ type: "REQUEST", methodArn, ...event });
  const result = await within(29_000, functions.invoke(authorizer.functionArn, payload)).catch(
    (cause) => {
      throw new Refusal("AUTHORIZER_FAILURE", { cause });
    },
  );
  if (result.kind === "error" && result.errorMessage === "Unauthorized")
    throw new Refusal("UNAUTHORIZED");
  if (result.kind !== "ok") throw new Refusal("AUTHORIZER_FAILURE");
  const verdict = parse(result.payload);
  enforce(verdict, methodArn);
  return {
    principalId: verdict.principalId,
    ...verdict.context,
    integrationLatency: Math.round(clock.now() - started),
  };
}

function find(source: string, { req, rawQuery }: Handshake, { api }: Event.Peer) {
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
