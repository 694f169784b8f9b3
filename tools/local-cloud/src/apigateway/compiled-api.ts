import type { AccessLogFormatter } from "./access-log-format.ts";
import type { HttpResponse, RequestContext } from "./request-context.ts";
import type { MediaTypes } from "./media-type.ts";
import type { ResourcePolicy } from "./resource-policy.ts";
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
