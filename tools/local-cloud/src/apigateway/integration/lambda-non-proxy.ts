import { MAX_EVENT_BYTES } from "../../lambda/invoke-result.ts";
import { recorded } from "../backend-call.ts";
import { invoke } from "../invoke.ts";
import type { Parts } from "../dependencies.ts";
import { Refusal, misconfigured } from "../refusal.ts";
import type { Backend } from "./non-proxy.ts";
import { type LambdaTarget, permitted, tooLarge } from "./lambda-proxy.ts";

/** `AWS` onto a function: the rendered template is its event, the error message of a failure chooses the integration response. [V-AWS] */
export function lambdaCustom(target: LambdaTarget, parts: Parts): Backend {
  return async (request, exchange) => {
    const functionArn = permitted(target, exchange);
    const payload = request.body.length > 0 ? request.body.toString("utf8") : "{}";
    if (tooLarge(payload)) throw new Refusal("REQUEST_TOO_LARGE");
    if (isEvent(request.headers)) {
      if (Buffer.byteLength(payload) > MAX_EVENT_BYTES) throw new Refusal("REQUEST_TOO_LARGE");
      const accepted = { of: "integration", service: "Lambda", functionArn } as const;
      await recorded(exchange, accepted, async (call) => {
        call.requestId = parts.asynchronous.accept(functionArn, payload);
        call.status = 202;
      });
      return { selector: undefined, headers: {}, body: Buffer.alloc(0) };
    }
    const result = await invoke(parts, exchange, "integration", functionArn, payload);
    switch (result.kind) {
      case "ok":
        return { selector: undefined, headers: {}, body: result.payload };
      case "error":
        return { selector: result.errorMessage, headers: {}, body: result.payload };
      default:
        throw misconfigured(`the function is ${result.kind}`);
    }
  };
}

/** `X-Amz-Invocation-Type: Event`: Lambda takes the event, answers 202 at once and runs the function later. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html */
function isEvent(headers: Record<string, string>): boolean {
  const name = Object.keys(headers).find((name) => name.toLowerCase() === "x-amz-invocation-type");
  const type = name ? headers[name] : "RequestResponse";
  if (type !== "Event" && type !== "RequestResponse")
    throw misconfigured(`the invocation type ${type} is not emulated`);
  return type === "Event";
}
