import * as Policy from "../../identity/policy.ts";
import * as Context from "../context.ts";
import type { LambdaAuthorizer } from "../definition.ts";
import { authorizerEvent } from "../event.ts";
import type { Exchange } from "../exchange.ts";
import { within } from "../integration/timeout.ts";
import type { Parts } from "../parts.ts";
import { Refusal } from "../refusal.ts";
import { methodArn } from "../method-arn.ts";

export type LambdaAuthorizers = {
  decide(exchange: Exchange, authorizer: LambdaAuthorizer): Promise<void>;
};

type Verdict = {
  principalId: string;
  statements: Policy.Statement[];
  context: Record<string, string>;
  usageKey: string | undefined;
};

const TIMEOUT_MS = 29_000;

/** TOKEN and REQUEST authorizers. What is cached is the *policy*; it is evaluated anew against the ARN of each request. [V-DOC] */
export function createLambdaAuthorizers({ functions, clock }: Parts): LambdaAuthorizers {
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
      functions.invoke(authorizer.functionArn, JSON.stringify(event)),
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

function enforce({ statements }: Verdict, arn: string) {
  const decision = Policy.evaluate(statements, { action: "execute-api:Invoke", resource: arn });
  if (decision.allowed) return;
  const text = "User is not authorized to access this resource";
  throw new Refusal("ACCESS_DENIED", {
    text: decision.explicitDeny
      ? `${text} with an explicit deny in an identity-based policy`
      : text,
  });
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html */
function parse(payload: Buffer): Verdict {
  try {
    const output = JSON.parse(payload.toString("utf8"));
    const { principalId, policyDocument, context = {}, usageIdentifierKey } = output;
    if (typeof principalId !== "string" || principalId === "") throw new Error("no principalId");
    if (!policyDocument?.Statement) throw new Error("no policyDocument");
    const statements = Policy.parse(policyDocument, "the authorizer's policy");
    return {
      principalId,
      statements,
      context: scalars(context ?? {}),
      usageKey: usageIdentifierKey,
    };
  } catch (cause) {
    throw new Refusal("AUTHORIZER_CONFIGURATION_ERROR", { cause });
  }
}

function scalars(context: Record<string, unknown>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(context)) {
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new Error(`context.${name} is neither a string, a number nor a boolean`);
    texts[name] = String(value);
  }
  return texts;
}
