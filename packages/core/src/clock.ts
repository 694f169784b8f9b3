// The one place in core that reads the wall clock, so that a test can replace it (`vi.setSystemTime`).

export const DAY_SECONDS = 24 * 3600;

/** The current time in milliseconds since 1970. */
export const nowMs = (): number => Date.now();

/** The current time in whole seconds since 1970: the unit of DynamoDB's TTL and of signatures. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** The current time as an ISO 8601 text in UTC, with milliseconds. */
export const nowIso = (): string => new Date().toISOString();
