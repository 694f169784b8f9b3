import type { Refusal } from "./refusal.ts";

/** How a request ended. */
export type Outcome = {
  status: number;
  /** Of the body. */
  bytes: number;
  /** Milliseconds since the epoch. */
  started: number;
  ended: number;
  /** Why the gateway answered by itself. */
  refusal: Refusal | undefined;
};
