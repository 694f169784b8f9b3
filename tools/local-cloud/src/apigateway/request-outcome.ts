import type { GatewayError } from "./gateway-error.ts";

/** How a request ended. */
export type RequestOutcome = {
  status: number;
  /** Of the body. */
  bytes: number;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  endedAtMs: number;
  /** Why the gateway answered by itself. */
  gatewayError: GatewayError | undefined;
};
