import type { IncomingMessage } from "node:http";

import { authorize } from "./authorizer/authorize.ts";
import type { LambdaAuthorizers } from "./authorizer/lambda.ts";
import type { HttpResponse, RequestContext, PartialRequestContext } from "./request-context.ts";
import { methodArn } from "./method-arn.ts";
import type { Dependencies } from "./dependencies.ts";
import { GatewayError } from "./gateway-error.ts";
import { readBody } from "../read-body.ts";
import { MAX_BODY_BYTES } from "./incoming-request.ts";
import type { UsagePlans } from "./usage-plans.ts";
import { validateRequest } from "./validate-request.ts";

// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html; regional
const MAX_HEADER_BYTES = 10_240;
const MAX_URL_BYTES = 10_240;
// "ARN length of a method with authorization"
const MAX_ARN_BYTES = 1_600;

type Stages = { usage: UsagePlans; lambdas: LambdaAuthorizers; dependencies: Dependencies };

/**
 * Each step may end the request by throwing a Refusal. Routing before authorization, the authorizer before the API key
 * [V-WILD]; how throttling and validation stand to each other is not documented.
 */
export function createPipeline({ usage, lambdas, dependencies }: Stages) {
  return async (req: IncomingMessage, opened: PartialRequestContext): Promise<HttpResponse> => {
    const tooLarge = transportLimit(req, opened);
    if (tooLarge) return tooLarge;
    const body = await readBody(req, MAX_BODY_BYTES);
    // plain text, no gateway response, no CORS [V-WILD]
    if (!body) return text(413, `HTTP content length exceeded ${MAX_BODY_BYTES} bytes.`);
    opened.body = body;

    const context = routed(opened);
    const { stage, method } = context;
    if (isTooLong(context)) return text(414, URI_TOO_LONG);
    if (stage.api.policy && method.authorization.type !== "AWS_IAM")
      stage.api.policy.check(context, methodArn(context));
    await authorize(context, lambdas, dependencies);
    const plan = method.apiKeyRequired ? usage.requireApiKey(context) : undefined;
    usage.checkLimits(context, plan);
    validateRequest(context);
    context.functionName = method.functionName;
    return method.integrate(context);
  };
}

/** The status for headers over the limit is an open question [?]. */
function transportLimit(
  req: IncomingMessage,
  { rawQuery, fullPath, headers }: PartialRequestContext,
) {
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
function isTooLong(context: RequestContext) {
  const { stage, method } = context;
  if (method.authorization.type === "NONE" && !stage.api.policy) return false;
  return methodArn(context).length > MAX_ARN_BYTES;
}

function routed(opened: PartialRequestContext): RequestContext {
  if (!opened.stage)
    throw new GatewayError("MISSING_AUTHENTICATION_TOKEN", {
      text: "Forbidden",
      errorType: "ForbiddenException",
    });
  if (opened.method) return opened as RequestContext;
  // an unknown route with an Authorization header is taken for a badly signed call to AWS [V-WILD]
  const authorization = opened.header("authorization");
  if (authorization && !authorization.startsWith("AWS4-HMAC-SHA256"))
    throw new GatewayError("MISSING_AUTHENTICATION_TOKEN", {
      text: "Invalid key=value pair (missing equal-sign) in Authorization header.",
      errorType: "IncompleteSignatureException",
    });
  throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
}

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: [["Content-Type", "text/plain"]],
  body,
});
