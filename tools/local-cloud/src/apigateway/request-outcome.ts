import type { GatewayError } from "./gateway-error.ts";

/** The result of a request, for logs and traces. */
export type RequestOutcome = {
  status: number;
  /** Length of the body. */
  bytes: number;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  endedAtMs: number;
  /** Set if the gateway itself answered. */
  gatewayError: GatewayError | undefined;
};
