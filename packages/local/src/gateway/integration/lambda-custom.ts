import type { Parts } from "../parts.ts";
import { Refusal, misconfigured } from "../refusal.ts";
import type { Backend } from "./custom.ts";
import { type LambdaTarget, permitted, tooLarge } from "./lambda-proxy.ts";

/** `AWS` onto a function: the rendered template is its event, the error message of a failure chooses the integration response. [V-AWS] */
export function lambdaCustom(target: LambdaTarget, { functions }: Parts): Backend {
  return async (request, exchange) => {
    const functionArn = permitted(target, exchange);
    const payload = request.body.length > 0 ? request.body.toString("utf8") : "{}";
    if (tooLarge(payload)) throw new Refusal("REQUEST_TOO_LARGE");
    const result = await functions.invoke(functionArn, payload);
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
