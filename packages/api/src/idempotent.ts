import { VisibleError } from "@balde/core/error";
import * as Idempotency from "@balde/core/idempotency";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./http.ts";

/** Makes a POST that creates something idempotent: a retry with the same `Idempotency-Key` gets the stored response. */
export const idempotent: MiddlewareHandler<Env> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return next();
  const { httpMethod, path, multiValueQueryStringParameters, body } = c.env.event;
  const { response, isReplayed } = await Idempotency.runOnce(
    {
      key: parseKey(header),
      route: `${httpMethod} ${path}`,
      content: JSON.stringify([
        c.req.header("content-type"),
        multiValueQueryStringParameters,
        body,
      ]),
    },
    async () => {
      await next();
      const { status, headers, ok } = c.res;
      const body = await c.res.text();
      // a body that was read cannot be sent, so the response is made again
      c.res = undefined;
      c.res = new Response(body, { status, headers });
      return { response: { status, headers: storedHeaders(headers), body }, isFinal: ok };
    },
  );
  if (!isReplayed) return undefined;
  return c.body(response.body, response.status as 201, {
    ...response.headers,
    [REPLAYED_HEADER]: "true",
  });
};

/** Our own header: the draft standard defines none for a replayed response. */
const REPLAYED_HEADER = "idempotency-replayed";

/** The headers that are stored with the response; all others belong to one request. */
function storedHeaders(headers: Headers): Record<string, string> {
  const names = ["content-type", "location", "cache-control"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** The key: a quoted string, as the draft standard says (RFC 9651), or the bare characters that most clients send. */
function parseKey(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[!-~]{1,255}$/.test(key)) return key;
  throw new VisibleError(
    "invalid",
    "idempotency.invalid_key",
    "The header Idempotency-Key must have 1 to 255 visible ASCII characters, such as a UUID",
  );
}
