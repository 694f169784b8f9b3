import { GatewayError } from "../gateway-error.ts";

/** Returns the result of `work`. @throws GatewayError INTEGRATION_TIMEOUT after `ms` of real time; the work continues, like a function behind API Gateway. */
export function withTimeout<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GatewayError("INTEGRATION_TIMEOUT")), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
