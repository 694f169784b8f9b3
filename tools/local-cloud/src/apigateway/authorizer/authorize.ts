import type { RequestContext } from "../types.ts";
import type { Dependencies } from "../dependencies.ts";
import { authorizeWithCognito } from "./cognito.ts";
import { authorizeWithIam } from "./iam.ts";
import type { LambdaAuthorizers } from "./lambda.ts";

/** Authorizes a request as its method demands, and sets `context.authorizer` and `context.identity`. @throws GatewayError */
export function authorize(
  context: RequestContext,
  lambdas: LambdaAuthorizers,
  dependencies: Dependencies,
): Promise<void> | void {
  const { authorization } = context.method;
  switch (authorization.type) {
    case "NONE":
      return;
    case "COGNITO_USER_POOLS":
      return authorizeWithCognito(
        context,
        authorization.authorizer,
        authorization.scopes,
        dependencies,
      );
    case "CUSTOM":
      return lambdas.authorize(context, authorization.authorizer);
    case "AWS_IAM":
      return authorizeWithIam(context, dependencies);
  }
}
