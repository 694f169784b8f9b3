import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, randomUUID } from "node:crypto";

import * as z from "zod/mini";

import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import * as Id from "./id.ts";

// A request with an Idempotency-Key creates one image, however often and at whatever point it fails and is repeated:
// docs/adr/0029-idempotency.md
// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07

type Request = {
  /** The client's Idempotency-Key. */
  key: string;
  /** Method and path: the same key may be used on another route. */
  route: string;
  /** Everything else of the request: with the same key it must be the same. */
  content: string;
};

/** One of the times that the same request runs. */
export type Attempt = {
  /** Of the image that the request creates: the same in every attempt. */
  imageId: Id.ImageId;
  /** True if an earlier attempt has created the image: this one only answers again. */
  isReplay: boolean;
};

/** `refused`: nothing was created, so the key may be used for another request. `failed`: it is unknown what was created. */
export type Outcome = "done" | "refused" | "failed";

const Row = z.object({
  fingerprint: z.string(),
  attempt: z.string(),
  imageId: Id.ImageId,
  /** In seconds since 1970: when the process that works on the request is considered dead; 0 if it failed, absent when it is done. */
  busyUntil: z.optional(z.int()),
});

/** Twice the timeout of the API's function, so that no process that still works is overtaken. */
const WORK_SECONDS = 30;
/** How long a key is remembered. */
const KEY_SECONDS = Clock.DAY_SECONDS;
/** When a client may ask again for a request in progress. */
const RETRY_AFTER_SECONDS = 1;

const storage = new AsyncLocalStorage<Attempt>();

/** The attempt that the current call belongs to; undefined for a request without an Idempotency-Key. */
export const currentAttempt = (): Attempt | undefined => storage.getStore();

/**
 * Runs `run` as an attempt of `request` (`currentAttempt`), and returns its result. Keys of different users and routes are
 * different. If `run` throws, the outcome is `failed`.
 *
 * @throws actor.unauthenticated
 * @throws idempotency.in_progress
 * @throws idempotency.other_request
 */
export async function runOnce(
  request: Request,
  run: (attempt: Attempt) => Promise<Outcome>,
): Promise<Outcome> {
  const key = keyOf(request);
  const holder = randomUUID();
  const attempt = await start(request, key, holder);
  const runAttempt = () => storage.run(attempt, () => run(attempt));
  if (attempt.isReplay) return runAttempt();
  let outcome: Outcome = "failed";
  try {
    outcome = await runAttempt();
  } finally {
    // what was created is the truth: without this note the next attempt finds it
    await noteOutcome(key, holder, outcome).catch((error: unknown) =>
      console.error({ message: "The outcome of an attempt was not noted", outcome, error }),
    );
  }
  return outcome;
}

/** Takes the request for `WORK_SECONDS`, unless it is done. The first attempt chooses the image's id, also its time. */
async function start({ key: clientKey, content }: Request, key: Dynamo.Key, holder: string) {
  const fingerprint = hash(content);
  const imageId = Id.create("image");
  const own = { attempt: holder, busyUntil: Clock.nowSeconds() + WORK_SECONDS };
  const isFirst = await Dynamo.put({
    item: { ...key, ...own, fingerprint, imageId, expiresAt: Clock.nowSeconds() + KEY_SECONDS },
    condition: "attribute_not_exists(#pk) OR #expiresAt <= :now",
    values: { now: Clock.nowSeconds() },
  });
  if (isFirst) return { imageId, isReplay: false };
  const item = await Dynamo.get(key);
  // the first attempt was refused at this moment
  if (!item) throw inProgress(clientKey);
  const row = Row.parse(item);
  if (row.fingerprint !== fingerprint) throw otherRequest(clientKey);
  if (row.busyUntil === undefined) return { imageId: row.imageId, isReplay: true };
  const isTaken =
    row.busyUntil <= Clock.nowSeconds() &&
    (await Dynamo.update({
      key,
      set: own,
      condition: "#attempt = :before AND #busyUntil = :until",
      values: { before: row.attempt, until: row.busyUntil },
    }));
  if (!isTaken) throw inProgress(clientKey);
  return { imageId: row.imageId, isReplay: false };
}

async function noteOutcome(key: Dynamo.Key, holder: string, outcome: Outcome): Promise<void> {
  // if another attempt took over in the meantime, its row stays as it is
  const ownRow = { key, condition: "#attempt = :holder", values: { holder } };
  if (outcome === "refused") await Dynamo.remove(ownRow);
  else if (outcome === "failed") await Dynamo.update({ ...ownRow, set: { busyUntil: 0 } });
  else await Dynamo.update({ ...ownRow, remove: ["busyUntil"] });
}

const keyOf = ({ route, key }: Request): Dynamo.Key => ({
  pk: partition(Actor.requireUser().id),
  sk: hash(`${route}\n${key}`),
});

/** The query for all keys that a user has used, to remove them with the account. */
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
