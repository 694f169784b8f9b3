import * as Settings from "./settings.ts";

const { origins } = Settings.ofStage($app.stage);

/** Request headers of front ends, each by name: `*` would not cover `Authorization`. */
export const requestHeaders =
  "authorization,content-type,if-match,if-none-match,idempotency-key,range,x-api-key";

/** For a function, which chooses among several origins by itself. */
export const environment = { ORIGINS: origins.join(",") };

/** Response headers that scripts of front ends may read. */
export const exposedHeaders =
  "Content-Range,ETag,Idempotency-Replayed,Link,Location,Retry-After,x-amzn-RequestId";

/**
 * For gateway responses and responses that pass bytes on: neither has a VTL template, so they can send a constant only. With
 * one configured origin that is the constant. A stage with several origins, which is never a public one, sends `*`: there are
 * no cookies, and these responses are public.
 */
export const constantOrigin = origins.length === 1 ? origins[0]! : "*";

/** The constant that `chooseOrigin` can override. */
export const firstOrigin = origins[0]!;

/**
 * A response template that overrides `firstOrigin` with the origin of the request if it is configured. HTTP/2 sends header
 * names in lower case, and the map has them as they were sent.
 */
export const chooseOrigin = [
  `#set($origins = [${origins.map((origin) => JSON.stringify(origin)).join(", ")}])`,
  `#set($origin = $input.params().header.get("Origin"))`,
  `#if(!$origin)#set($origin = $input.params().header.get("origin"))#end`,
  `#if($origins.contains($origin))#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end`,
].join("\n");

/** Returns a constant in API Gateway's syntax. */
export const constant = (value: string) => `'${value}'`;
