import * as Context from "../context.ts";
import type { LambdaAuthorizer } from "../definition.ts";
import { authorizerEvent } from "../event.ts";
import type { Exchange } from "../request-context.ts";
import { within } from "../integration/timeout.ts";
import { invoke } from "../invoke.ts";
import type { Parts } from "../dependencies.ts";
import { Refusal } from "../refusal.ts";
import { methodArn } from "../method-arn.ts";
import { type Verdict, enforce, parse } from "./verdict.ts";

export type LambdaAuthorizers = {
  decide(exchange: Exchange, authorizer: LambdaAuthorizer): Promise<void>;
};

const TIMEOUT_MS = 29_000;

/** TOKEN and REQUEST authorizers. What is cached is the *policy*; it is evaluated anew against the ARN of each request. [V-DOC] */
export function createLambdaAuthorizers(parts: Parts): LambdaAuthorizers {
  const { clock } = parts;
  const cache = new Map<string, { verdict: Verdict; until: number }>();

  return {
    async decide(exchange, authorizer) {
      const started = clock.now();
      const sources = identity(exchange, authorizer);
      const isCached = authorizer.ttlSeconds > 0 && sources.length > 0;
      const key = JSON.stringify([exchange.stage.name, authorizer.id, sources]);
      const hit = isCached ? cache.get(key) : undefined;
      const arn = methodArn(exchange);
      let verdict = hit && hit.until > started ? hit.verdict : undefined;
      if (!verdict) {
        verdict = await ask(exchange, authorizer, arn, sources[0] ?? "");
        if (isCached)
          cache.set(key, { verdict, until: clock.now() + authorizer.ttlSeconds * 1000 });
        if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value!);
      }
      enforce(verdict, arn);
      exchange.authorizer = {
        principalId: verdict.principalId,
        ...verdict.context,
        integrationLatency: Math.round(clock.now() - started),
      };
      exchange.usageKey = verdict.usageKey;
    },
  };

  async function ask(
    exchange: Exchange,
    authorizer: LambdaAuthorizer,
    arn: string,
    token: string,
  ): Promise<Verdict> {
    if (!authorizer.permitted) throw new Refusal("AUTHORIZER_CONFIGURATION_ERROR");
    const event =
      authorizer.type === "TOKEN"
        ? { type: "TOKEN", methodArn: arn, authorizationToken: token }
        : authorizerEvent(exchange, arn);
    const result = await within(
      TIMEOUT_MS,
      invoke(parts, exchange, "authorizer", authorizer.functionArn, JSON.stringify(event)),
    ).catch((cause) => {
      throw new Refusal("AUTHORIZER_FAILURE", { cause });
    });
    // the one message that means 401 [V-DOC]
    if (result.kind === "error" && result.errorMessage === "Unauthorized")
      throw new Refusal("UNAUTHORIZED");
    if (result.kind !== "ok") throw new Refusal("AUTHORIZER_FAILURE");
    return parse(result.payload);
  }
}

// keeps a flood of tokens from filling the memory
const MAX_CACHED = 10_000;

/** The values of the identity sources; a missing one is 401 before the function is asked. [V-DOC] */
function identity(exchange: Exchange, { type, identitySources, validation }: LambdaAuthorizer) {
  const values = identitySources.map((source) => Context.lookup(source, exchange) ?? "");
  if (values.some((value) => value.trim() === "")) throw new Refusal("UNAUTHORIZED");
  if (type === "TOKEN" && validation && !validation.test(values[0] ?? ""))
    throw new Refusal("UNAUTHORIZED");
  return values;
}
