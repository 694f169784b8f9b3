import { VisibleError } from "@balde/core/error";
import * as Idempotency from "@balde/core/idempotency";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./http.ts";

/** For a POST that creates: with an `Idempotency-Key` it may be sent again without creating twice. */
export const idempotent: MiddlewareHandler<Env> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return next();
  const { httpMethod, path, multiValueQueryStringParameters, body } = c.env.event;
  const { response, isReplayed } = await Idempotency.runOnce(
    {
      key: read(header),
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
      // what was read cannot be sent
      c.res = undefined;
      c.res = new Response(body, { status, headers });
      return { response: { status, headers: pick(headers), body }, isFinal: ok };
    },
  );
  if (!isReplayed) return undefined;
  return c.body(response.body, response.status as 201, { ...response.headers, [replayed]: "true" });
};

/** Ours: the draft leaves it to each API how a client can tell. */
const replayed = "idempotency-replayed";

/** What belongs to the answer; the rest is of each request. */
function pick(headers: Headers): Record<string, string> {
  const names = ["content-type", "location", "cache-control"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** A text in quotes as the draft has it (RFC 9651), or the bare characters that most clients send. */
function read(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[!-~]{1,255}$/.test(key)) return key;
  throw new VisibleError(
    "invalid",
    "idempotency.invalid_key",
    "Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID",
  );
}
