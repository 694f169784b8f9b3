import { VisibleError } from "@balde/core/error";
import type * as Idempotency from "@balde/core/idempotency";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./http.ts";

/** Makes a POST that creates an image idempotent: a retry with the same `Idempotency-Key` gets the same image. */
export const idempotent: MiddlewareHandler<Env> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return next();
  const { httpMethod, path, multiValueQueryStringParameters, body } = c.env.event;
  // on demand: most requests have no key, and a cold start would wait for it
  const { runOnce } = await import("@balde/core/idempotency");
  await runOnce(
    {
      key: parseKey(header),
      route: `${httpMethod} ${path}`,
      content: JSON.stringify([
        c.req.header("content-type"),
        multiValueQueryStringParameters,
        body,
      ]),
    },
    async ({ isReplay }) => {
      if (isReplay) c.header(REPLAYED_HEADER, "true");
      await next();
      return outcomeOf(c.res.status);
    },
  );
  return undefined;
};

/** Our own header: the draft standard defines none for a replayed response. */
const REPLAYED_HEADER = "idempotency-replayed";

/** `gone`: the image was created, so that the key stays used. */
function outcomeOf(status: number): Idempotency.Outcome {
  if (status >= 500) return "failed";
  return status < 400 || status === STATUS_GONE ? "done" : "refused";
}

const STATUS_GONE = 410;

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
