import type { IncomingMessage } from "node:http";

import type { AddressLimits } from "./address-limits.ts";
import { authorize } from "./authorizer/authorize.ts";
import type { LambdaAuthorizers } from "./authorizer/lambda.ts";
import type { HttpResponse, RequestContext, PartialRequestContext } from "./types.ts";
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

type PipelineDependencies = {
  addressLimits: AddressLimits;
  usage: UsagePlans;
  lambdas: LambdaAuthorizers;
  dependencies: Dependencies;
};

/**
 * Returns the handler of requests. Each step may throw a GatewayError. Routing comes before authorization, and the authorizer
 * before the API key [V-WILD]; the order of throttling and validation is not documented.
 */
export function createPipeline({
  addressLimits,
  usage,
  lambdas,
  dependencies,
}: PipelineDependencies) {
  return async (req: IncomingMessage, unrouted: PartialRequestContext): Promise<HttpResponse> => {
    const refused = transportRefusal(req, unrouted);
    if (refused) return refused;
    const body = await readBody(req, MAX_BODY_BYTES);
    // plain text, without a gateway response and CORS headers [V-WILD]
    if (!body) return text(413, `HTTP content length exceeded ${MAX_BODY_BYTES} bytes.`);
    unrouted.body = body;
    addressLimits.check(unrouted);

    const context = assertRouted(unrouted);
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

/**
 * Returns the response to a URL or headers over the limit, and to a request with two hosts. The status for headers is not
 * documented [?]; two hosts must be 400: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
function transportRefusal(
  req: IncomingMessage,
  { rawQuery, fullPath, headers }: PartialRequestContext,
) {
  const length = fullPath.length + (rawQuery && `?${rawQuery}`).length;
  if (length > MAX_URL_BYTES) return text(414, URI_TOO_LONG);
  if (headers.filter(([name]) => name.toLowerCase() === "host").length > 1) {
    req.resume();
    return text(400, "Bad Request");
  }
  let size = 0;
  for (const [name, value] of headers) size += name.length + value.length + 4;
  if (size > MAX_HEADER_BYTES) {
    req.resume();
    return text(431, "Request header fields too large");
  }
  return undefined;
}

const URI_TOO_LONG = "Request URI too long";

/** A path parameter can make the ARN of a protected method longer than the limit. [V-DOC] */
function isTooLong(context: RequestContext) {
  const { stage, method } = context;
  if (method.authorization.type === "NONE" && !stage.api.policy) return false;
  return methodArn(context).length > MAX_ARN_BYTES;
}

function assertRouted(unrouted: PartialRequestContext): RequestContext {
  if (!unrouted.stage)
    throw new GatewayError("MISSING_AUTHENTICATION_TOKEN", {
      text: "Forbidden",
      errorType: "ForbiddenException",
    });
  if (unrouted.method) return unrouted as RequestContext;
  // AWS answers an unknown route with an Authorization header as a malformed signature [V-WILD]
  const authorization = unrouted.header("authorization");
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
