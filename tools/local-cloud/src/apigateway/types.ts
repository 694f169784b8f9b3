// The types of a deployed API and of a request to it. They refer to each other, so they share this file, which imports no
// module that works with them.
import type { Readable } from "node:stream";

import type { Statement } from "../iam/policy.ts";
import type { MediaTypes } from "./media-type.ts";
import type * as Query from "./query.ts";
import type { RequestOutcome } from "./request-outcome.ts";
import type * as RequestTrace from "./request-trace.ts";
import type { RouteNode } from "./route-tree.ts";

/** A deployed REST API, compiled once from the graph and then constant. */
export type CompiledApi = {
  id: string;
  name: string;
  executionArn: string;
  binaryMediaTypes: MediaTypes;
  apiKeySource: "HEADER" | "AUTHORIZER";
  policy: ResourcePolicy | undefined;
  routes: RouteNode<Method>;
  gatewayResponses: Map<string, GatewayResponseSettings>;
};

export type Stage = {
  api: CompiledApi;
  name: string;
  deploymentId: string;
  variables: Record<string, string> | null;
  /** Whether X-Ray samples requests that do not carry a sampling decision. */
  isTraced: boolean;
  accessLog: AccessLogFormatter | undefined;
};

export type Method = {
  resourceId: string;
  resourcePath: string;
  /** As declared, so possibly `ANY`. */
  httpMethod: string;
  authorization: Authorization;
  apiKeyRequired: boolean;
  /** Mapping expressions of the required parameters, in the order in which API Gateway reports them. */
  requiredParameters: string[];
  /** By content type; undefined if the method does not validate bodies. */
  bodyValidators: Map<string, BodyValidator> | undefined;
  /** @throws GatewayError */
  integrate: (context: RequestContext) => Promise<HttpResponse>;
  /** The name of the function behind the integration, for logs. */
  functionName: string | undefined;
};

/** Returns what is wrong with the body, or undefined. */
export type BodyValidator = (body: string) => string | undefined;

export type Authorization =
  | { type: "NONE" }
  | { type: "AWS_IAM" }
  | { type: "COGNITO_USER_POOLS"; authorizer: CognitoAuthorizer; scopes: string[] }
  | { type: "CUSTOM"; authorizer: LambdaAuthorizer };

export type CognitoAuthorizer = {
  id: string;
  providerArns: string[];
  identitySource: string;
  validation: RegExp | undefined;
};

export type LambdaAuthorizer = {
  id: string;
  type: "TOKEN" | "REQUEST";
  functionArn: string;
  /** Whether the graph lets the gateway invoke the function. */
  isPermitted: boolean;
  identitySources: string[];
  validation: RegExp | undefined;
  ttlSeconds: number;
};

export type GatewayResponseSettings = {
  statusCode: number | undefined;
  templates: Record<string, string>;
  parameters: Record<string, string>;
};

export type ResourcePolicy = {
  statements: Statement[];
  /** @throws GatewayError ACCESS_DENIED, if the policy does not allow the call to a client without credentials. */
  check: (context: RequestContext, methodArn: string) => void;
};

/** Returns the access log line of a request. */
export type AccessLogFormatter = (
  context: PartialRequestContext,
  outcome: RequestOutcome,
) => string;

/** A request with its route, and what the steps of the gateway add to it. */
export type RequestContext = {
  stage: Stage;
  method: Method;
  httpMethod: string;
  /** Like `event.path`: without the stage, not decoded. */
  path: string;
  /** Like `requestContext.path`: with the stage. */
  fullPath: string;
  pathParameters: Record<string, string> | null;
  query: Query.Values | null;
  rawQuery: string;
  /** In the client's order and casing. */
  headers: [name: string, value: string][];
  /** Returns the joined values of a header by its lower-case name. */
  header: (name: string) => string | undefined;
  body: Buffer;
  requestId: string;
  extendedRequestId: string;
  trace: RequestTrace.Trace;
  time: number;
  identity: Identity;
  /** Becomes `requestContext.authorizer`; undefined without an authorizer. */
  authorizer: Record<string, unknown> | undefined;
  /** The API key that an authorizer returned as `usageIdentifierKey`. */
  apiKeyFromAuthorizer: string | undefined;
  /** The function of the integration, for logs. */
  functionName: string | undefined;
  /** The calls made for the request, in order. */
  backendCalls: BackendCall[];
  /** Aborts when the client disconnects. */
  signal: AbortSignal | undefined;
};

/** A request that may have no known stage or method. */
export type PartialRequestContext = Partial<Pick<RequestContext, "stage" | "method">> &
  Omit<RequestContext, "stage" | "method">;

type Identity = {
  sourceIp: string;
  userAgent: string | null;
  accessKey: string | null;
  accountId: string | null;
  caller: string | null;
  user: string | null;
  userArn: string | null;
  apiKey?: string;
  apiKeyId?: string;
};

/** A response with a whole body, or with a stream of unknown length. */
export type HttpResponse = {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer | string | Readable;
};

/** One call that the gateway makes for a request, as the access log, the console log and the trace report it. */
export type BackendCall = {
  /** Id of its trace subsegment, which is the parent of the callee's segment. */
  id: string;
  purpose: "integration" | "authorizer";
  service: "Lambda" | "S3" | "HTTP";
  /** The id of Lambda's invocation or of the S3 request. */
  requestId?: string | undefined;
  functionArn?: string;
  isCold?: boolean;
  startedAtMs: number;
  endedAtMs?: number;
  /** The status of the service, not of the code that runs in it. */
  status?: number | undefined;
  error?: string;
};
