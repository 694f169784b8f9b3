import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import * as Clock from "./clock.ts";
import { VisibleError } from "./error.ts";
import { Resource } from "sst/resource";

const LIFETIME_SECONDS = Clock.DAY_SECONDS;
const SIGNATURE_BYTES = 16;

type Payload = { v: 1; position: string; list: string; expiresAt: number };

/**
 * A signed cursor for the page of `list` that starts after `position`, at most 512 characters. `list` names the list with
 * its owner and its filter: the cursor is valid for that list only, for a day.
 */
export function encode(list: string, position: string): string {
  const payload: Payload = {
    v: 1,
    position,
    list: digest(list),
    expiresAt: Clock.nowSeconds() + LIFETIME_SECONDS,
  };
  const bytes = Buffer.from(JSON.stringify(payload));
  return Buffer.concat([sign(bytes), bytes]).toString("base64url");
}

/**
 * The position in a cursor that `encode` made for this list; undefined without a cursor.
 *
 * @throws cursor.invalid for a changed or expired cursor, and for one of another list
 */
export function decode(list: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const bytes = Buffer.from(cursor, "base64url");
  const payload = bytes.subarray(SIGNATURE_BYTES);
  // base64url has several spellings of the same bytes; only the one that `encode` makes is valid
  if (bytes.length <= SIGNATURE_BYTES || bytes.toString("base64url") !== cursor) throw invalid();
  if (!timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), sign(payload))) throw invalid();
  const { v, position, list: listDigest, expiresAt }: Payload = JSON.parse(payload.toString());
  if (v !== 1 || listDigest !== digest(list) || expiresAt < Clock.nowSeconds()) throw invalid();
  return position;
}

const sign = (payload: Buffer) =>
  createHmac("sha256", Resource.Keys.cursor)
    .update("cursor.v1")
    .update(payload)
    .digest()
    .subarray(0, SIGNATURE_BYTES);

// of a fixed length, because a cursor has at most 512 characters and a filter may be long
const digest = (list: string) => createHash("sha256").update(list).digest("base64url").slice(0, 16);

const invalid = () =>
  new VisibleError(
    "invalid",
    "cursor.invalid",
    "This cursor belongs to another list, was changed or is older than a day; start again without a cursor",
    { issues: [{ pointer: "/cursor", detail: "is not a cursor of this list from the last day" }] },
  );
