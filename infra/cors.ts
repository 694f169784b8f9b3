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
 * A gateway response can send a constant only, and so can an answer that hands bytes on: neither has a template of VTL. With
 * one configured origin that is the constant. A stage with several (none that is public) says `*`: there are no cookies, and
 * what these answers hold anyone may fetch.
 */
export const constantOrigin = origins.length === 1 ? origins[0]! : "*";

/** Where the constant can be overridden by `chooseOrigin`. */
export const firstOrigin = origins[0]!;

/**
 * For a response template beside `firstOrigin`: when a page of another configured one asks, its own name goes back instead. HTTP/2
 * sends header names in small letters, and the map keeps them as they came.
 */
export const chooseOrigin = [
  `#set($origins = [${origins.map((origin) => JSON.stringify(origin)).join(", ")}])`,
  `#set($origin = $input.params().header.get("Origin"))`,
  `#if(!$origin)#set($origin = $input.params().header.get("origin"))#end`,
  `#if($origins.contains($origin))#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end`,
].join("\n");

/** API Gateway's way to write a constant. */
export const constant = (value: string) => `'${value}'`;
