import type { Resource } from "../graph/resource-graph.ts";
import type { CompileContext } from "./compile-context.ts";
import type { Authorization, LambdaAuthorizer } from "./types.ts";
import { functionArnOf } from "./integration-uri.ts";

export function compileAuthorization(
  method: Resource<"aws:apigateway/method:Method">,
  context: CompileContext,
): Authorization {
  const { authorization, authorizerId, authorizationScopes } = method.inputs;
  switch (authorization) {
    case "NONE":
    case "AWS_IAM":
      return { type: authorization };
    case "COGNITO_USER_POOLS": {
      const authorizer = find(authorizerId, context);
      return {
        type: "COGNITO_USER_POOLS",
        scopes: authorizationScopes ?? [],
        authorizer: {
          id: authorizer.id,
          providerArns: authorizer.inputs.providerArns ?? [],
          identitySource: authorizer.inputs.identitySource ?? DEFAULT_SOURCE,
          validation: pattern(authorizer.inputs.identityValidationExpression),
        },
      };
    }
    case "CUSTOM":
      return { type: "CUSTOM", authorizer: lambdaAuthorizer(find(authorizerId, context), context) };
  }
}

const DEFAULT_SOURCE = "method.request.header.Authorization";

type Authorizer = Resource<"aws:apigateway/authorizer:Authorizer">;

function find(id: string | undefined, { own }: CompileContext): Authorizer {
  const authorizer = own("aws:apigateway/authorizer:Authorizer").find(
    (candidate) => candidate.id === id,
  );
  if (!authorizer) throw new Error(`there is no authorizer ${id} in the API`);
  return authorizer;
}

function lambdaAuthorizer(
  { id, inputs }: Authorizer,
  { api, permissions }: CompileContext,
): LambdaAuthorizer {
  const functionArn = functionArnOf(inputs.authorizerUri ?? "")?.arn;
  if (!functionArn) throw new Error(`${inputs.authorizerUri} is not the URI of a function`);
  const { authorizerCredentials, identitySource, authorizerResultTtlInSeconds } = inputs;
  const type = inputs.type === "REQUEST" ? "REQUEST" : "TOKEN";
  const ttlSeconds = authorizerResultTtlInSeconds ?? 300;
  return {
    id,
    type,
    functionArn,
    isPermitted: authorizerCredentials
      ? permissions.mayInvokeAsRole(authorizerCredentials, functionArn)
      : permissions.mayInvoke(functionArn, `${api.executionArn}/authorizers/${id}`),
    identitySources: sourcesOf(id, identitySource ?? DEFAULT_SOURCE, type, ttlSeconds),
    validation: pattern(inputs.identityValidationExpression),
    ttlSeconds,
  };
}

const HEADER = /^method\.request\.header\..+$/;
const SOURCE = /^(?:method\.request\.(?:header|querystring)|stageVariables|context)\..+$/;

/** Returns the identity sources. @throws Error if AWS would refuse them: a TOKEN authorizer needs one header, and a cache needs a key. */
function sourcesOf(id: string, text: string, type: LambdaAuthorizer["type"], ttlSeconds: number) {
  const sources = text.split(",").flatMap((source) => source.trim() || []);
  const wrong = sources.find((source) => !(type === "TOKEN" ? HEADER : SOURCE).test(source));
  if (wrong) throw new Error(`the authorizer ${id} cannot have the identity source ${wrong}`);
  if (type === "TOKEN" && sources.length !== 1)
    throw new Error(`the authorizer ${id} needs one header for its token`);
  if (sources.length === 0 && ttlSeconds > 0)
    throw new Error(`the authorizer ${id} has no identity source to cache decisions by`);
  return sources;
}

// must match the whole value, like Java's `matches`
const pattern = (expression: string | undefined) =>
  expression ? new RegExp(`^(?:${expression})$`) : undefined;
