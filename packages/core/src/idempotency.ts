import { createHash, randomUUID } from "node:crypto";

import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";

// A request with an Idempotency-Key runs once, however often the client repeats it:
// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07

export type StoredResponse = z.infer<typeof StoredResponse>;
export const StoredResponse = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

type Request = {
  /** The client's Idempotency-Key. */
  key: string;
  /** Method and path: the same key may be used on another route. */
  route: string;
  /** Everything else of the request: with the same key it must be the same. */
  content: string;
};

const Row = z.object({
  fingerprint: z.string(),
  /** In seconds since 1970: until there is a response, when the process that works on it is considered dead. */
  expiresAt: z.int(),
  response: z.optional(StoredResponse),
});

/** Twice the timeout of the API's function, so that no process that still works is overtaken. */
const WORK_SECONDS = 30;
/** How long a response is repeated. */
const RESPONSE_SECONDS = Clock.DAY_SECONDS;
/** When a client may ask again for a request in progress. */
const RETRY_AFTER_SECONDS = 1;

/**
 * The response to `request`: of `run`, or (`isReplayed`) of the same request before. The response of `run` is stored for a
 * day if it `isFinal`; if it is not, or if `run` throws, nothing was created and the key may be used again at once. Keys
 * of different users and routes are different.
 *
 * @throws actor.unauthenticated
 * @throws idempotency.in_progress
 * @throws idempotency.other_request
 */
export async function runOnce(
  request: Request,
  run: () => Promise<{ response: StoredResponse; isFinal: boolean }>,
): Promise<{ response: StoredResponse; isReplayed: boolean }> {
  const key = keyOf(request);
  const fingerprint = hash(request.content);
  const attempt = randomUUID();
  const isFirst = await Dynamo.put({
    item: { ...key, fingerprint, attempt, expiresAt: Clock.nowSeconds() + WORK_SECONDS },
    condition: "attribute_not_exists(#pk) OR #expiresAt <= :now",
    values: { now: Clock.nowSeconds() },
  });
  if (!isFirst)
    return { response: await findResponse(key, fingerprint, request.key), isReplayed: true };
  // if another attempt took over in the meantime, its row stays as it is
  const ownRow = { key, condition: "#attempt = :attempt", values: { attempt } };
  const { response, isFinal } = await run().catch(async (error: unknown) => {
    await Dynamo.remove(ownRow);
    throw error;
  });
  if (isFinal)
    await Dynamo.update({
      ...ownRow,
      set: { response, expiresAt: Clock.nowSeconds() + RESPONSE_SECONDS },
    });
  else await Dynamo.remove(ownRow);
  return { response, isReplayed: false };
}

async function findResponse(
  key: Dynamo.Key,
  fingerprint: string,
  clientKey: string,
): Promise<StoredResponse> {
  const item = await Dynamo.get(key);
  if (!item) throw inProgress(clientKey);
  const row = Row.parse(item);
  if (row.fingerprint !== fingerprint) throw otherRequest(clientKey);
  if (!row.response) throw inProgress(clientKey);
  return row.response;
}

const keyOf = ({ route, key }: Request): Dynamo.Key => ({
  pk: partition(Actor.requireUser().id),
  sk: hash(`${route}\n${key}`),
});

/** The query for all stored responses of a user, to remove them with the account. */
export const userQuery = (userId: string): Dynamo.Query => ({
  keyCondition: "#pk = :pk",
  values: { pk: partition(userId) },
  isConsistent: true,
});

const partition = (userId: string) => `IDEMPOTENCY#${userId}`;

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

const inProgress = (key: string) =>
  new VisibleError(
    "conflict",
    "idempotency.in_progress",
    `The first request with the Idempotency-Key ${key} is still in progress; try again in a second`,
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  );

const otherRequest = (key: string) =>
  new VisibleError(
    "unprocessable",
    "idempotency.other_request",
    `The Idempotency-Key ${key} was used for another request in the last 24 hours; a new request needs a new key`,
  );
