import type { AccessLogFormatter } from "./access-log-format.ts";
import type { HttpResponse, RequestContext } from "./request-context.ts";
import type { MediaTypes } from "./media-type.ts";
import type { ResourcePolicy } from "./resource-policy.ts";
import type { RouteNode } from "./route-tree.ts";

/** What a deployment of a REST API holds: compiled once from the graph, never changed afterwards. */
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
  /** X-Ray: whether a request is sampled unless it says otherwise. */
  isTraced: boolean;
  accessLog: AccessLogFormatter | undefined;
};

export type Method = {
  resourceId: string;
  resourcePath: string;
  /** As declared: `GET`, or `ANY`. */
  httpMethod: string;
  authorization: Authorization;
  apiKeyRequired: boolean;
  /** Mapping keys of required parameters, in the order in which API Gateway lists them. */
  requiredParameters: string[];
  /** Present when a validator checks the body: the model's check by content type. */
  bodyValidators: Map<string, BodyValidator> | undefined;
  /** Answers the context, or throws a `Refusal`. */
  integrate: (context: RequestContext) => Promise<HttpResponse>;
  /** The function behind the integration, as the log names it. */
  functionName: string | undefined;
};

/** What is wrong with the body, or undefined. */
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
  /** False when nothing in the graph lets the gateway invoke the function. */
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
