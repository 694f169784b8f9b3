import { withTimeout } from "../apigateway/integration/timeout.ts";
import type { Dependencies } from "../apigateway/dependencies.ts";
import { malformedProxyResponse } from "../apigateway/proxy-response.ts";
import { configurationError } from "../apigateway/gateway-error.ts";
import type { WebSocketRoute } from "./compiled-api.ts";

export type RouteResult = { statusCode: number; headers: Record<string, string>; body: string };

/** Invokes the function of a route and returns its result. @throws GatewayError if it fails or its result is malformed. */
export async function invokeRoute(
  { functionArn, isPermitted, timeoutMs }: WebSocketRoute,
  event: object,
  functions: Dependencies["functions"],
): Promise<RouteResult> {
  if (!isPermitted)
    throw configurationError(
      `neither a permission nor a role lets API Gateway invoke ${functionArn}`,
    );
  const result = await withTimeout(timeoutMs, functions.invoke(functionArn, JSON.stringify(event)));
  if (result.kind === "error")
    throw malformedProxyResponse(`${result.errorType}: ${result.errorMessage}`);
  if (result.kind !== "ok")
    throw configurationError(`the result of the function is ${result.kind}`);
  return read(result.payload.toString("utf8"));
}

function read(payload: string): RouteResult {
  const result = json(payload);
  if (typeof result !== "object" || result === null)
    throw malformedProxyResponse("the result is not an object");
  const { statusCode = 200, headers = {}, body } = result as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status))
    throw malformedProxyResponse(`the status code is ${String(statusCode)}`);
  if (body !== undefined && body !== null && typeof body !== "string")
    throw malformedProxyResponse("the body is not a string");
  return {
    statusCode: status,
    headers: (headers ?? {}) as Record<string, string>,
    body: body ?? "",
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
