import type { Log } from "./log.ts";

/** An error that AWS would answer too. Everything else that is thrown is a bug, which is logged and answered 500. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;

  /** `type` is the name of the error's shape, with or without its namespace. */
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** Returns the error itself, or for a bug, which it logs, an InternalFailure. */
export function toServiceError(error: unknown, log: Log): ServiceError {
  if (error instanceof ServiceError) return error;
  log.error("a request failed because of a bug", { error: String(error) });
  return new ServiceError("com.amazon.coral.service#InternalFailure", "Internal failure", 500);
}
