import type { AccessLog } from "./access-log.ts";
import type { Answer, Exchange } from "./request-context.ts";
import type { MediaTypes } from "./media-type.ts";
import type { ResourcePolicy } from "./resource-policy.ts";
import type { Node } from "./route.ts";

/** What a deployment of a REST API holds: compiled once from the graph, never changed afterwards. */
export type Api = {
  id: string;
  name: string;
  executionArn: string;
  binaryMediaTypes: MediaTypes;
  apiKeySource: "HEADER" | "AUTHORIZER";
  policy: ResourcePolicy | undefined;
  routes: Node<Method>;
  gatewayResponses: Map<string, GatewayResponse>;
};

export type Stage = {
  api: Api;
  name: string;
  deploymentId: string;
  variables: Record<string, string> | null;
  /** X-Ray: whether a request is sampled unless it says otherwise. */
  isTraced: boolean;
  accessLog: AccessLog | undefined;
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
  bodyChecks: Map<string, BodyCheck> | undefined;
  /** Answers the exchange, or throws a `Refusal`. */
  integrate: (exchange: Exchange) => Promise<Answer>;
  /** The function behind the integration, as the log names it. */
  functionName: string | undefined;
};

/** What is wrong with the body, or undefined. */
export type BodyCheck = (body: string) => string | undefined;

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
  permitted: boolean;
  identitySources: string[];
  validation: RegExp | undefined;
  ttlSeconds: number;
};

export type GatewayResponse = {
  statusCode: number | undefined;
  templates: Record<string, string>;
  parameters: Record<string, string>;
};
