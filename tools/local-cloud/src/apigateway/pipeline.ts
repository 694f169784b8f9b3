import type { IncomingMessage } from "node:http";

import { authorize } from "./authorizer/authorize.ts";
import type { LambdaAuthorizers } from "./authorizer/lambda.ts";
import type { Answer, Exchange, Refused } from "./request-context.ts";
import { methodArn } from "./method-arn.ts";
import type { Parts } from "./dependencies.ts";
import { Refusal } from "./refusal.ts";
import { MAX_BODY_BYTES, readBody } from "./request.ts";
import type { Usage } from "./usage.ts";
import { validate } from "./validate.ts";

// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html; regional
const MAX_HEADER_BYTES = 10_240;
const MAX_URL_BYTES = 10_240;
// "ARN length of a method with authorization"
const MAX_ARN_BYTES = 1_600;

type Stages = { usage: Usage; lambdas: LambdaAuthorizers; parts: Parts };

/**
 * Each step may end the request by throwing a Refusal. Routing before authorization, the authorizer before the API key
 * [V-WILD]; how throttling and validation stand to each other is not documented.
 */
export function createPipeline({ usage, lambdas, parts }: Stages) {
  return async (req: IncomingMessage, opened: Refused): Promise<Answer> => {
    const tooLarge = transportLimit(req, opened);
    if (tooLarge) return tooLarge;
    const body = await readBody(req);
    // plain text, no gateway response, no CORS [V-WILD]
    if (!body) return text(413, `HTTP content length exceeded ${MAX_BODY_BYTES} bytes.`);
    opened.body = body;

    const exchange = routed(opened);
    const { stage, method } = exchange;
    if (isTooLong(exchange)) return text(414, URI_TOO_LONG);
    if (stage.api.policy && method.authorization.type !== "AWS_IAM")
      stage.api.policy.check(exchange, methodArn(exchange));
    await authorize(exchange, lambdas, parts);
    const plan = method.apiKeyRequired ? usage.identify(exchange) : undefined;
    usage.admit(exchange, plan);
    validate(exchange);
    exchange.called = method.functionName;
    return method.integrate(exchange);
  };
}

/** The status for headers over the limit is an open question [?]. */
function transportLimit(req: IncomingMessage, { rawQuery, fullPath, headers }: Refused) {
  const length = fullPath.length + (rawQuery && `?${rawQuery}`).length;
  if (length > MAX_URL_BYTES) return text(414, URI_TOO_LONG);
  let size = 0;
  for (const [name, value] of headers) size += name.length + value.length + 4;
  if (size > MAX_HEADER_BYTES) {
    req.resume();
    return text(431, "Request header fields too large");
  }
  return undefined;
}

const URI_TOO_LONG = "Request URI too long";

/** A path parameter can make the ARN of a protected method longer than a policy is compared with. [V-DOC] */
function isTooLong(exchange: Exchange) {
  const { stage, method } = exchange;
  if (method.authorization.type === "NONE" && !stage.api.policy) return false;
  return methodArn(exchange).length > MAX_ARN_BYTES;
}

function routed(opened: Refused): Exchange {
  if (!opened.stage)
    throw new Refusal("MISSING_AUTHENTICATION_TOKEN", {
      text: "Forbidden",
      errorType: "ForbiddenException",
    });
  if (opened.method) return opened as Exchange;
  // an unknown route with an Authorization header is taken for a badly signed call to AWS [V-WILD]
  const authorization = opened.header("authorization");
  if (authorization && !authorization.startsWith("AWS4-HMAC-SHA256"))
    throw new Refusal("MISSING_AUTHENTICATION_TOKEN", {
      text: "Invalid key=value pair (missing equal-sign) in Authorization header.",
      errorType: "IncompleteSignatureException",
    });
  throw new Refusal("MISSING_AUTHENTICATION_TOKEN");
}

const text = (status: number, body: string): Answer => ({
  status,
  headers: [["Content-Type", "text/plain"]],
  body,
});
