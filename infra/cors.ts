import * as Settings from "./settings.ts";

const { origins } = Settings.of($app.stage);

/** What a front end sends that the Fetch standard wants named: `*` would not cover `Authorization`. */
export const requestHeaders =
  "authorization,content-type,if-match,if-none-match,idempotency-key,range,x-api-key";

/** For a function, which can choose among several by itself. */
export const environment = { ORIGINS: origins.join(",") };

/** What a front end may read beyond the body and its type. */
export const exposedHeaders = "ETag,Link,Location,Retry-After,x-amzn-RequestId";

/**
 * A gateway response and an S3 integration can send a constant only. With one configured origin that is the constant. A
 * stage with several (none that is public) says `*`: there are no cookies, and what these answers hold anyone may fetch.
 */
export const constantOrigin = origins.length === 1 ? origins[0]! : "*";

export { origins };

/** API Gateway's way to write a constant. */
export const constant = (value: string) => `'${value}'`;
