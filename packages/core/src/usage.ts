import { Resource } from "sst/resource";

import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import * as Dynamo from "./dynamo.ts";
import { VisibleError } from "./error.ts";
import { mebibytes } from "./text.schema.ts";
import * as ImageRow from "./image.row.ts";
import type { Amount, Info, Quota } from "./usage.schema.ts";
import * as UsageRow from "./usage.row.ts";

export * from "./usage.schema.ts";

/** Why a change was not made: a limit of the user, or the deletion of the account. */
export type Refused = { type: "refused"; error: VisibleError };

export type ApplyResult =
  | { type: "made" }
  /** A condition of `writes` was not met: a result for each of them. */
  | { type: "unmet"; results: Dynamo.WriteResult[] }
  /** The upload to close has expired. */
  | { type: "expired" }
  /** The user's share of ingest is used. */
  | { type: "busy" }
  | Refused;

/** What the signed-in user has used, and the limits. */
export async function get(): Promise<Info> {
  const row = UsageRow.parse(await Dynamo.get(UsageRow.key(Actor.requireUser().id)));
  return toInfo(row ? UsageRow.withoutExpired(row) : UsageRow.EMPTY);
}

/** Makes a change of the user's usage and `writes` in one transaction, or neither. */
export async function apply(
  userId: string,
  change: UsageRow.Change,
  writes: Dynamo.Write[] = [],
): Promise<ApplyResult> {
  const update = UsageRow.update(userId, change, limits());
  for (;;) {
    const [ofUsage, ...results] = await Dynamo.transact([{ update }, ...writes]);
    if (results.some(({ isMet }) => !isMet)) return { type: "unmet", results };
    if (ofUsage!.isMet) return { type: "made" };
    const row = UsageRow.parse(ofUsage!.item);
    const prune = row && UsageRow.prune(userId, row);
    // whether it was made or another process has changed the row: the change is tried again
    if (!row) await createRow(userId);
    else if (prune) await Dynamo.update(prune);
    else return explain(row, change);
  }
}

/** @throws account.deleting */
export async function assertAccountStays(userId: string): Promise<void> {
  const item = await Dynamo.get(UsageRow.key(userId));
  if (item?.["deletingAt"] !== undefined) throw UsageRow.accountIsDeleted();
}

/** Frees the slot of a process that has ended without a result. */
export async function freeSlot(userId: string, slot: string): Promise<void> {
  await Dynamo.update({
    key: UsageRow.key(userId),
    remove: [`working.${slot}`],
    condition: `attribute_exists(#working.#${slot})`,
  });
}

/**
 * Counts signed URLs of the signed-in user.
 *
 * @throws quota.signed_urls if there would be more than the limit today
 */
export async function countSignedUrls(number: number): Promise<void> {
  const { id: userId } = Actor.requireUser();
  const signedDay = Clock.nowIso().slice(0, "2026-11-21".length);
  const key = UsageRow.key(userId);
  const add: Dynamo.Update = {
    key,
    add: { signedUrls: number },
    condition: "#signedDay = :day AND #signedUrls <= :maxBefore",
    values: { day: signedDay, maxBefore: limits().signedUrlsPerDay - number },
  };
  const startDay: Dynamo.Update = {
    key,
    set: { signedDay, signedUrls: number },
    condition:
      "attribute_exists(#images) AND (attribute_not_exists(#signedDay) OR #signedDay < :day)",
    values: { day: signedDay },
  };
  for (;;) {
    const [counted] = await Dynamo.transact([{ update: add }]);
    if (counted!.isMet) return;
    const row = UsageRow.parse(counted!.item);
    if (!row) await createRow(userId);
    else if (row.signedDay === signedDay) throw quotaReached("signedUrls", row);
    if (await Dynamo.update(startDay)) return;
  }
}

/** Creates the numbers of a user who has none. Images that are older than the row are counted from the index. */
async function createRow(userId: string): Promise<void> {
  const items = await Dynamo.queryAll({
    index: "gsi1",
    keyCondition: "#gsi1pk = :owner",
    values: { owner: ImageRow.ownerKey(userId) },
  });
  const images = items.flatMap((item) => {
    const image = ImageRow.parse(item);
    return image && image.state !== "rejected" ? [image] : [];
  });
  const open = images.filter(({ state }) => state === "pending");
  const row: UsageRow.Row = {
    ...UsageRow.EMPTY,
    images: images.length,
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
    reservedNames: open.filter(({ name }) => name !== undefined).length,
    open: Object.fromEntries(
      open.map(({ id, bytes, expiresAt = 0, name }) => [id, { bytes, expiresAt, name }]),
    ),
  };
  await Dynamo.update({
    key: UsageRow.key(userId),
    set: row,
    condition: "attribute_not_exists(#images)",
  });
}

/** Why the condition of the change is not met in this row. */
function explain(row: UsageRow.Row, { images, bytes = 0, open, close, takeSlot }: UsageRow.Change) {
  const { info, max } = { info: toInfo(row), max: limits() };
  const refused = (error: VisibleError): Refused => ({ type: "refused", error });
  if (close && !row.open[close.id]) return { type: "expired" } as const;
  if (images === 1) {
    if (row.deletingAt) return refused(UsageRow.accountIsDeleted());
    if (info.images.used >= max.images) return refused(quotaReached("images", row));
    if (info.bytes.used + bytes > max.bytes) return refused(quotaReached("bytes", row));
  }
  if (open && info.openUploads.used >= max.openUploads)
    return refused(quotaReached("openUploads", row));
  if (open?.name !== undefined && info.reservedNames.used >= max.reservedNames)
    return refused(quotaReached("reservedNames", row));
  if (takeSlot) return { type: "busy" } as const;
  throw new Error(`BUG: no reason why the usage did not change: ${JSON.stringify(row)}`);
}

function toInfo(row: UsageRow.Row): Info {
  const max = limits();
  const isToday = row.signedDay === Clock.nowIso().slice(0, "2026-11-21".length);
  return {
    images: amount(row.images, max.images),
    bytes: amount(row.bytes, max.bytes),
    openUploads: amount(Object.keys(row.open).length, max.openUploads),
    reservedNames: amount(row.reservedNames, max.reservedNames),
    signedUrls: amount(isToday ? row.signedUrls : 0, max.signedUrlsPerDay),
  };
}

const amount = (used: number, limit: number): Amount => ({
  used,
  limit,
  remaining: Math.max(0, limit - used),
});

const limits = (): UsageRow.Limits => Resource.Limits;

const codes = {
  images: "quota.images",
  bytes: "quota.bytes",
  openUploads: "quota.open_uploads",
  reservedNames: "quota.reserved_names",
  signedUrls: "quota.signed_urls",
} as const satisfies Record<Quota, string>;

const nouns: Record<Quota, string> = {
  images: "images",
  bytes: "bytes of images",
  openUploads: "uploads that have not come yet",
  reservedNames: "names of uploads that have not come yet",
  signedUrls: "signed URLs today",
};

const advice: Record<Quota, string> = {
  images: "delete some to upload more",
  bytes: "delete some to upload more",
  openUploads: "send their bytes, or delete those images",
  reservedNames: "send their bytes, or delete those images",
  signedUrls: "the number starts again at midnight UTC",
};

function quotaReached(quota: Quota, row: UsageRow.Row) {
  const current = toInfo(row)[quota];
  const retryAfterSeconds = secondsUntilFree(quota, row);
  return new VisibleError(
    "limited",
    codes[quota],
    `You have ${current.used} of ${current.limit} ${nouns[quota]}, so that ${remaining(quota, current)} can be added; ${advice[quota]}`,
    { quota: current, ...(retryAfterSeconds && { retryAfterSeconds }) },
  );
}

const remaining = (quota: Quota, amount: Amount) =>
  quota === "bytes" ? `${amount.remaining} (${mebibytes(amount.remaining)})` : amount.remaining;

/** When waiting helps: the first expiry of an open upload, and the end of the day. */
function secondsUntilFree(quota: Quota, { open }: UsageRow.Row): number | undefined {
  const now = Clock.nowSeconds();
  if (quota === "signedUrls") return Clock.DAY_SECONDS - (now % Clock.DAY_SECONDS);
  if (quota === "images" || quota === "bytes") return undefined;
  const uploads = Object.values(open).filter(
    ({ name }) => quota === "openUploads" || name !== undefined,
  );
  return Math.max(1, Math.min(...uploads.map(({ expiresAt }) => expiresAt)) - now);
}
