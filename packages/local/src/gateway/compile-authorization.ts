import type { Resource } from "../stack.ts";
import type { CompileContext } from "./compile.ts";
import type { Authorization, LambdaAuthorizer } from "./definition.ts";
import { functionArnOf } from "./uri.ts";

export function compileAuthorization(method: Resource, context: CompileContext): Authorization {
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
    default:
      throw new Error(`authorization ${authorization} is not emulated`);
  }
}

const DEFAULT_SOURCE = "method.request.header.Authorization";

function find(id: string, { own }: CompileContext): Resource {
  const authorizer = own("authorizer:Authorizer").find((candidate) => candidate.id === id);
  if (!authorizer) throw new Error(`there is no authorizer ${id} in the API`);
  return authorizer;
}

function lambdaAuthorizer(
  { id, inputs }: Resource,
  { api, permissions }: CompileContext,
): LambdaAuthorizer {
  const functionArn = functionArnOf(inputs.authorizerUri)?.arn;
  if (!functionArn) throw new Error(`${inputs.authorizerUri} is not the URI of a function`);
  const { authorizerCredentials, identitySource, authorizerResultTtlInSeconds } = inputs;
  const sources: string = identitySource ?? DEFAULT_SOURCE;
  return {
    id,
    type: inputs.type ?? "TOKEN",
    functionArn,
    permitted: authorizerCredentials
      ? permissions.invokeAs(authorizerCredentials, functionArn)
      : permissions.invoke(functionArn, `${api.executionArn}/authorizers/${id}`),
    // an empty text is none at all
    identitySources: sources
      .split(",")
      .map((source) => source.trim())
      .filter(Boolean),
    validation: pattern(inputs.identityValidationExpression),
    ttlSeconds: authorizerResultTtlInSeconds ?? 300,
  };
}

// matched as a whole, as Java's `matches`
const pattern = (expression: string | undefined) =>
  expression ? new RegExp(`^(?:${expression})$`) : undefined;
