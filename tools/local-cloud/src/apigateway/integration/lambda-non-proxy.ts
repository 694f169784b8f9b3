import { MAX_EVENT_BYTES } from "../../lambda/invoke-result.ts";
import { recordCall } from "../backend-call.ts";
import { invokeFunction } from "../invoke-function.ts";
import type { Dependencies } from "../dependencies.ts";
import { GatewayError, configurationError } from "../gateway-error.ts";
import type { Backend } from "./non-proxy.ts";
import { type LambdaTarget, permittedFunctionArn, isTooLarge } from "./lambda-proxy.ts";

/** Returns the backend of type AWS for a function: the rendered template is the event, and an error message chooses the integration response. [V-AWS] */
export function lambdaBackend(target: LambdaTarget, dependencies: Dependencies): Backend {
  return async (request, context) => {
    const functionArn = permittedFunctionArn(target, context);
    const payload = request.body.length > 0 ? request.body.toString("utf8") : "{}";
    if (isTooLarge(payload)) throw new GatewayError("REQUEST_TOO_LARGE");
    if (isEvent(request.headers)) {
      if (Buffer.byteLength(payload) > MAX_EVENT_BYTES) throw new GatewayError("REQUEST_TOO_LARGE");
      const accepted = { purpose: "integration", service: "Lambda", functionArn } as const;
      await recordCall(context, accepted, async (call) => {
        call.requestId = dependencies.asynchronous.accept(functionArn, payload);
        call.status = 202;
      });
      return { selector: undefined, headers: {}, body: Buffer.alloc(0) };
    }
    const result = await invokeFunction(dependencies, context, "integration", functionArn, payload);
    switch (result.kind) {
      case "ok":
        return { selector: undefined, headers: {}, body: result.payload };
      case "error":
        return { selector: result.errorMessage, headers: {}, body: result.payload };
      default:
        throw configurationError(`the function is ${result.kind}`);
    }
  };
}

/** Returns whether the invocation is asynchronous (`X-Amz-Invocation-Type: Event`): Lambda answers 202 and runs the function later. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html */
function isEvent(headers: Record<string, string>): boolean {
  const name = Object.keys(headers).find((name) => name.toLowerCase() === "x-amz-invocation-type");
  const type = name ? headers[name] : "RequestResponse";
  if (type !== "Event" && type !== "RequestResponse")
    throw configurationError(`the invocation type ${type} is not emulated`);
  return type === "Event";
}
