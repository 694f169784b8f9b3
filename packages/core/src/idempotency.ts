import { createHash, randomUUID } from "node:crypto";

import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import * as ImageRow from "./image.row.ts";

// A request that creates something and carries a key of the client's choice is worked on once, however often it comes:
// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07

export type Answer = z.infer<typeof Answer>;
export const Answer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

type Request = {
  key: string;
  /** The route: the same key means something else on another. */
  route: string;
  /** Everything else that makes it this request. */
  content: string;
};

const Row = z.object({
  fingerprint: z.string(),
  /** In seconds. While nothing is answered: when whoever works on it must have died. */
  expiresAt: z.int(),
  answer: z.optional(Answer),
});

/** Twice what the API's function may take, so that nobody who still works is overtaken. */
const WORK_SECONDS = 30;
/** How long an answer is repeated. */
const ANSWER_SECONDS = 24 * 3600;

/**
 * The answer to `request`, of `create` or of the earlier request that was the same. What `create` answers is remembered
 * when it `isFinal`; else, or if it throws, nothing was created and the key is as new.
 */
export async function once(
  request: Request,
  create: () => Promise<{ answer: Answer; isFinal: boolean }>,
): Promise<{ answer: Answer; isReplayed: boolean }> {
  const key = keyOf(request);
  const fingerprint = hash(request.content);
  const attempt = randomUUID();
  const isFirst = await Dynamo.put({
    item: { ...key, fingerprint, attempt, expiresAt: ImageRow.seconds() + WORK_SECONDS },
    when: "attribute_not_exists(#pk) OR #expiresAt <= :now",
    values: { now: ImageRow.seconds() },
  });
  if (!isFirst) return { answer: await earlier(key, fingerprint, request.key), isReplayed: true };
  // whoever took over in the meantime is not disturbed
  const mine = { key, when: "#attempt = :attempt", values: { attempt } };
  const { answer, isFinal } = await create().catch(async (error: unknown) => {
    await Dynamo.remove(mine);
    throw error;
  });
  if (isFinal)
    await Dynamo.update({
      ...mine,
      set: { answer, expiresAt: ImageRow.seconds() + ANSWER_SECONDS },
    });
  else await Dynamo.remove(mine);
  return { answer, isReplayed: false };
}

async function earlier(key: Dynamo.Key, fingerprint: string, name: string): Promise<Answer> {
  const item = await Dynamo.get(key);
  if (!item) throw inProgress(name);
  const row = Row.parse(item);
  if (row.fingerprint !== fingerprint) throw otherRequest(name);
  if (!row.answer) throw inProgress(name);
  return row.answer;
}

const keyOf = ({ route, key }: Request): Dynamo.Key => ({
  pk: `IDEMPOTENCY#${Actor.user().id}`,
  sk: hash(`${route}\n${key}`),
});

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

const inProgress = (key: string) =>
  new VisibleError(
    "conflict",
    "idempotency.in_progress",
    `The request with the Idempotency-Key ${key} is still being worked on: ask again in a moment`,
    { retryAfterSeconds: 1 },
  );

const otherRequest = (key: string) =>
  new VisibleError(
    "unprocessable",
    "idempotency.other_request",
    `The Idempotency-Key ${key} was used for another request in the last 24 hours: a new request needs a new key`,
  );
