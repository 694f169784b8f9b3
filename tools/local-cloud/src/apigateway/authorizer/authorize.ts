import type { Exchange } from "../request-context.ts";
import type { Parts } from "../dependencies.ts";
import { byCognito } from "./cognito.ts";
import { byIam } from "./iam.ts";
import type { LambdaAuthorizers } from "./lambda.ts";

/** Authentication and authorization of the method; fills in `exchange.authorizer` and `exchange.identity`, or throws a Refusal. */
export function authorize(
  exchange: Exchange,
  lambdas: LambdaAuthorizers,
  parts: Parts,
): Promise<void> | void {
  const { authorization } = exchange.method;
  switch (authorization.type) {
    case "NONE":
      return;
    case "COGNITO_USER_POOLS":
      return byCognito(exchange, authorization.authorizer, authorization.scopes, parts);
    case "CUSTOM":
      return lambdas.decide(exchange, authorization.authorizer);
    case "AWS_IAM":
      return byIam(exchange, parts);
  }
}
