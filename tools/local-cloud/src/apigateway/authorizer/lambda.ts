import { LRUCache } from "lru-cache";

import * as MappingExpressions from "../mapping-expressions.ts";
import type { LambdaAuthorizer, RequestContext } from "../types.ts";
import { authorizerEvent } from "../lambda-event.ts";
import { withTimeout } from "../integration/timeout.ts";
import { invokeFunction } from "../invoke-function.ts";
import type { Dependencies } from "../dependencies.ts";
import { GatewayError } from "../gateway-error.ts";
import { methodArn } from "../method-arn.ts";
import {
  type AuthorizerOutput,
  assertAllowed,
  parseAuthorizerOutput,
} from "./authorizer-output.ts";

export type LambdaAuthorizers = {
  authorize(context: RequestContext, authorizer: LambdaAuthorizer): Promise<void>;
};

const TIMEOUT_MS = 29_000;

/** Authorizes with TOKEN and REQUEST authorizers. The policy is cached, and evaluated again for the ARN of each request. [V-DOC] */
export function createLambdaAuthorizers(dependencies: Dependencies): LambdaAuthorizers {
  const { clock } = dependencies;
  const cache = new LRUCache<string, AuthorizerOutput>({
    max: MAX_CACHED,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });

  return {
    async authorize(context, authorizer) {
      const started = clock.now();
      const sources = identityValues(context, authorizer);
      const isCached = authorizer.ttlSeconds > 0 && sources.length > 0;
      const key = JSON.stringify([context.stage.name, authorizer.id, sources]);
      const arn = methodArn(context);
      let output = isCached ? cache.get(key) : undefined;
      if (!output) {
        output = await callAuthorizer(context, authorizer, arn, sources[0] ?? "");
        if (isCached) cache.set(key, output, { ttl: authorizer.ttlSeconds * 1000 });
      }
      assertAllowed(output, arn);
      context.authorizer = {
        principalId: output.principalId,
        ...output.context,
        integrationLatency: Math.round(clock.now() - started),
      };
      context.apiKeyFromAuthorizer = output.apiKey;
    },
  };

  async function callAuthorizer(
    context: RequestContext,
    authorizer: LambdaAuthorizer,
    arn: string,
    token: string,
  ): Promise<AuthorizerOutput> {
    if (!authorizer.isPermitted) throw new GatewayError("AUTHORIZER_CONFIGURATION_ERROR");
    const event =
      authorizer.type === "TOKEN"
        ? { type: "TOKEN", methodArn: arn, authorizationToken: token }
        : authorizerEvent(context, arn);
    const result = await withTimeout(
      TIMEOUT_MS,
      invokeFunction(
        dependencies,
        context,
        "authorizer",
        authorizer.functionArn,
        JSON.stringify(event),
      ),
    ).catch((cause) => {
      throw new GatewayError("AUTHORIZER_FAILURE", { cause });
    });
    // only this message means 401 [V-DOC]
    if (result.kind === "error" && result.errorMessage === "Unauthorized")
      throw new GatewayError("UNAUTHORIZED");
    if (result.kind !== "ok") throw new GatewayError("AUTHORIZER_FAILURE");
    return parseAuthorizerOutput(result.payload);
  }
}

// bounds the memory when clients send many different tokens
const MAX_CACHED = 10_000;

/** Returns the values of the identity sources. @throws GatewayError UNAUTHORIZED if one is missing; the function is not called then. [V-DOC] */
function identityValues(
  context: RequestContext,
  { type, identitySources, validation }: LambdaAuthorizer,
) {
  const values = identitySources.map(
    (source) => MappingExpressions.evaluate(source, context) ?? "",
  );
  if (values.some((value) => value.trim() === "")) throw new GatewayError("UNAUTHORIZED");
  if (type === "TOKEN" && validation && !validation.test(values[0] ?? ""))
    throw new GatewayError("UNAUTHORIZED");
  return values;
}
