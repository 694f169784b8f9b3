import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import type { EventBus } from "../eventbridge/event-bus.ts";
import type { Log } from "../log.ts";
import { inTransaction } from "../transaction.ts";
import { readBody } from "../read-body.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { attributeActions } from "./attribute-actions.ts";
import { userActions } from "./user-actions.ts";
import { adminActions } from "./admin-actions.ts";
import { CognitoError, invalidParameter } from "./cognito-error.ts";
import { describeActions } from "./describe-user-pool.ts";
import { type Tokens, createIssuer } from "./token-issuer.ts";
import { type Pool, readPools } from "./user-pool.ts";
import { type Action, type Input, type ActionContext, deliveryTo } from "./action.ts";
import { createFailedAttempts } from "./failed-attempts.ts";
import { type CallRecorder, createCallRecorder } from "./recorded-calls.ts";
import { signInActions } from "./sign-in.ts";
import { totpActions, totpAdminActions } from "./totp-actions.ts";
import { createUnknownUsers } from "./unknown-users.ts";
import { createUsers } from "./users.ts";
import { type Principals, authorize } from "../iam/principals.ts";
import { type ServiceCall, traceCall } from "../xray/trace-service-call.ts";
import type { TraceStore } from "../xray/trace-store.ts";
import { signatureAge } from "../iam/signature-age.ts";
import * as VerifySignature from "../iam/verify-signature.ts";
import type { Verified } from "./token-verifier.ts";

export type UserPools = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Returns the claims of a valid token of the pool, or why it is not valid. */
  verify(token: string, poolArn: string): Promise<Verified>;
  /** Creates a confirmed user; does nothing if the name exists. */
  createUser(user: { name: string; password: string; email: string; poolId?: string }): void;
  /** Returns tokens without a sign-in, for tests: with other scopes, an issue time in the past or a longer validity. */
  issue(
    name: string,
    options: { clientId: string; scope?: string; ageSeconds?: number; validSeconds?: number },
  ): Promise<Tokens>;
  pools: { id: string; arn: string; clientIds: string[] }[];
};

export type UserPoolOptions = {
  graph: ResourceGraph;
  db: DatabaseSync;
  principals: Principals;
  clock: Clock;
  log: Log;
  traces?: TraceStore | undefined;
  /** Gets the deletions of users as CloudTrail's events; undefined if the graph has no rule. */
  events?: EventBus | undefined;
};

/** Returns the user pools of the graph, with a handler for Cognito's JSON protocol and the public keys of the pools. */
export function createUserPools({
  graph,
  db,
  principals,
  clock,
  log,
  traces,
  events,
}: UserPoolOptions): UserPools {
  const pools = readPools(graph);
  const context: ActionContext = {
    pools,
    users: createUsers(db, clock),
    unknownUsers: createUnknownUsers(db),
    failedAttempts: createFailedAttempts(db, clock),
    issuer: createIssuer(db, pools, clock),
    now: () => clock.now(),
    removeUser(pool, user) {
      context.issuer.revokeAll(pool, user);
      context.users.remove(pool, user);
    },
    deliver(user, code, email = user.attributes.email ?? "") {
      log.info(`Cognito would send ${email || user.username} the code ${code}`);
      return deliveryTo(email);
    },
  };
  const byArn = new Map([...pools.values()].map((pool) => [pool.arn, pool]));

  return {
    pools: [...pools.values()].map(({ id, arn, clients }) => ({
      id,
      arn,
      clientIds: [...clients.keys()],
    })),

    async verify(token, poolArn) {
      const pool = byArn.get(poolArn);
      return pool ? context.issuer.verify(token, pool) : { reason: "invalid" };
    },

    createUser({ name, password, email, poolId }) {
      const pool = poolId ? pools.get(poolId) : [...pools.values()][0];
      if (!pool) throw new Error("the graph has no such user pool");
      if (context.users.find(pool, name)) return;
      const attributes = { email, email_verified: "true" };
      context.users.create(pool, name, attributes, "CONFIRMED", password);
    },

    async issue(name, { clientId, ...options }) {
      const client = [...pools.values()].flatMap((pool) => pool.clients.get(clientId) ?? [])[0];
      const user = client && context.users.find(client.pool, name);
      if (!client || !user)
        throw new Error(`there is no client ${clientId}, or no user ${name} in its pool`);
      return context.issuer.issue(client, user, options);
    },

    async handle(req, res) {
      const started = performance.now();
      const requestId = randomUUID();
      const traced = traceCall(traces, "Cognito", graph.region, req, res);
      traced.operation = target(req);
      const answer = await respond(req, requestId, traced);
      const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
      res.writeHead(answer.status, {
        // the CORS headers that AWS sends
        "access-control-allow-origin": "*",
        "access-control-expose-headers":
          "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date",
        "x-amzn-requestid": requestId,
        "content-length": Buffer.byteLength(body),
        ...answer.headers,
      });
      res.end(body);
      log.request({
        method: req.method ?? "",
        path: `cognito-idp${req.url === "/" ? "" : req.url} ${target(req)}`.trim(),
        status: answer.status,
        ms: performance.now() - started,
        requestId,
      });
    },
  };

  async function respond(
    req: IncomingMessage,
    requestId: string,
    traced: ServiceCall,
  ): Promise<Response> {
    if (req.method === "OPTIONS") return { status: 200, headers: PREFLIGHT };
    if (req.method === "GET") return wellKnownDocument(req.url ?? "", pools, context);
    let recorder: CallRecorder | undefined;
    try {
      const bytes = await readRequestBody(req);
      const action = actionOf(req);
      const input: Input = JSON.parse(bytes.toString("utf8") || "{}");
      const resource = input.UserPoolId ?? input.ClientId;
      if (resource) traced.details = { resource_names: [resource] };
      const callerArn = action.isSigned
        ? authorizeSignedAction(req, bytes, input, pools, { graph, principals, clock, log })
        : undefined;
      const recorded = createCallRecorder(events, {
        req,
        requestId,
        action: target(req),
        callerArn,
        userPoolId: input.UserPoolId,
        region: graph.region,
        account: graph.account,
        now: clock.now(),
      });
      recorder = recorded;
      const removeUser: ActionContext["removeUser"] = (pool, user) =>
        inTransaction(db, () => {
          context.removeUser(pool, user);
          recorded.succeeded(user.attributes.sub ?? "");
        });
      const body = await action.run(input, { ...context, removeUser });
      return { status: 200, headers: JSON_1_1, body };
    } catch (error) {
      recorder?.failed(error);
      return errorResponse(error, requestId, log);
    }
  }
}

type Response = { status: number; headers: Record<string, string>; body?: unknown };

const JSON_1_1 = { "content-type": "application/x-amz-json-1.1" };

const PREFLIGHT = {
  "access-control-allow-methods": "POST, GET, OPTIONS",
  "access-control-allow-headers":
    "authorization,cache-control,content-type,amz-sdk-invocation-id,amz-sdk-request,x-amz-date,x-amz-security-token,x-amz-target,x-amz-user-agent",
  "access-control-max-age": "172800",
};

const PREFIX = "AWSCognitoIdentityProviderService.";

const target = (req: IncomingMessage) =>
  String(req.headers["x-amz-target"] ?? "").replace(PREFIX, "");

const unsignedActions: Record<string, Action> = {
  ...userActions,
  ...attributeActions,
  ...signInActions,
  ...totpActions,
};
const signedActions: Record<string, Action> = {
  ...adminActions,
  ...totpAdminActions,
  ...describeActions,
};

function actionOf(req: IncomingMessage): { run: Action; isSigned: boolean } {
  const name = target(req);
  if (Object.hasOwn(signedActions, name)) return { run: signedActions[name]!, isSigned: true };
  // those of sign-in that begin with Admin are signed too
  if (Object.hasOwn(unsignedActions, name))
    return { run: unsignedActions[name]!, isSigned: name.startsWith("Admin") };
  throw new CognitoError(
    "UnknownOperationException",
    name
      ? `cognito-idp:${name} is not emulated`
      : "The request has no X-Amz-Target header with an action",
  );
}

// far more than any request of this protocol has
const MAX_BYTES = 1_048_576;

async function readRequestBody(req: IncomingMessage): Promise<Buffer> {
  const body = await readBody(req, MAX_BYTES);
  if (!body) throw invalidParameter("Request body is too large");
  return body;
}

/** Returns the ARN of the caller. @throws CognitoError unless the request is signed by a principal that may do the action. */
function authorizeSignedAction(
  req: IncomingMessage,
  body: Buffer,
  input: Input,
  pools: Map<string, Pool>,
  { graph, principals, clock, log }: Omit<UserPoolOptions, "db" | "traces" | "events">,
): string {
  const request = { method: req.method ?? "", url: req.url ?? "/", headers: req.headers, body };
  const outcome = VerifySignature.verifyHeader(request, (id) => principals.find(id), {
    service: "cognito-idp",
    region: graph.region,
    now: Date.now(),
    ageOf: signatureAge(clock),
  });
  if (!outcome.ok) {
    if (outcome.problem === "missing")
      throw new CognitoError("MissingAuthenticationTokenException", "Missing Authentication Token");
    const isUnknown = outcome.problem === "unknown-key" || outcome.problem === "bad-token";
    throw new CognitoError(
      isUnknown ? "UnrecognizedClientException" : "InvalidSignatureException",
      isUnknown ? "The security token included in the request is invalid." : outcome.message,
    );
  }
  const resource = pools.get(String(input.UserPoolId))?.arn ?? "*";
  const decision = authorize(
    outcome.principal,
    { action: `cognito-idp:${target(req)}`, resource },
    log,
  );
  if (!decision.allowed) throw new CognitoError("AccessDeniedException", decision.message);
  return outcome.principal.arn;
}

function wellKnownDocument(
  url: string,
  pools: Map<string, Pool>,
  { issuer }: ActionContext,
): Response {
  const [, id = "", document] =
    /^\/([^/]+)\/\.well-known\/(jwks\.json|openid-configuration)$/.exec(url) ?? [];
  const pool = pools.get(id);
  const headers = { "content-type": "application/json" };
  if (!pool) return { status: 404, headers, body: { message: "Not Found" } };
  if (document === "jwks.json") return { status: 200, headers, body: issuer.jwks };
  return {
    status: 200,
    headers,
    body: {
      issuer: pool.issuer,
      jwks_uri: `${pool.issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["code", "token"],
      scopes_supported: ["openid", "email", "phone", "profile"],
      subject_types_supported: ["public"],
    },
  };
}

function errorResponse(error: unknown, requestId: string, log: Log): Response {
  if (error instanceof CognitoError || error instanceof SyntaxError) {
    const name = error instanceof CognitoError ? error.name : "SerializationException";
    const headers = {
      ...JSON_1_1,
      "x-amzn-errortype": `${name}:`,
      "x-amzn-errormessage": error.message,
    };
    return { status: 400, headers, body: { __type: name, message: error.message } };
  }
  log.error(`Cognito: ${error instanceof Error ? error.stack : String(error)}`, { requestId });
  const body = { __type: "InternalErrorException", message: "Internal error" };
  return { status: 500, headers: JSON_1_1, body };
}
