import { within } from "../apigateway/integration/timeout.ts";
import type { Parts } from "../apigateway/dependencies.ts";
import { malformed } from "../apigateway/proxy-response.ts";
import { misconfigured } from "../apigateway/refusal.ts";
import type { Route } from "./definition.ts";

export type Reply = { statusCode: number; headers: Record<string, string>; body: string };

/** Calls the function behind a route; whatever fails is a Refusal. */
export async function invoke(
  { functionArn, isPermitted, timeoutMs }: Route,
  event: object,
  functions: Parts["functions"],
): Promise<Reply> {
  if (!isPermitted) throw misconfigured(`nothing lets API Gateway invoke ${functionArn}`);
  const result = await within(timeoutMs, functions.invoke(functionArn, JSON.stringify(event)));
  if (result.kind === "error") throw malformed(`${result.errorType}: ${result.errorMessage}`);
  if (result.kind !== "ok") throw misconfigured(`the function's answer is ${result.kind}`);
  return read(result.payload.toString("utf8"));
}

function read(payload: string): Reply {
  const result = json(payload);
  if (typeof result !== "object" || result === null) throw malformed("the result is no object");
  const { statusCode = 200, headers = {}, body } = result as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status)) throw malformed(`the status code is ${String(statusCode)}`);
  if (body !== undefined && body !== null && typeof body !== "string")
    throw malformed("the body is no text");
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
