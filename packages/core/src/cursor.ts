import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { VisibleError } from "./error.ts";
import { Resource } from "sst/resource";

/** A day: longer than anybody pages, shorter than a cursor is worth keeping. */
const LIFE_SECONDS = 24 * 3600;

type Payload = { v: 1; after: string; of: string; until: number };

/** Where the next page of a list starts. `of` says which list, whose, filtered how: it is good for that one only. */
export function write(of: string, after: string): string {
  const payload: Payload = { v: 1, after, of: digest(of), until: now() + LIFE_SECONDS };
  const bytes = Buffer.from(JSON.stringify(payload));
  return Buffer.concat([sign(bytes), bytes]).toString("base64url");
}

/** Refuses everything that `write` did not make for this very list within the last day. */
export function read(of: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const bytes = Buffer.from(cursor, "base64url");
  const payload = bytes.subarray(SIGNATURE_BYTES);
  // a spelling that decodes to the same bytes is not what we wrote
  if (bytes.length <= SIGNATURE_BYTES || bytes.toString("base64url") !== cursor) throw invalid();
  if (!timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), sign(payload))) throw invalid();
  const { v, after, of: list, until }: Payload = JSON.parse(payload.toString());
  if (v !== 1 || list !== digest(of) || until < now()) throw invalid();
  return after;
}

const SIGNATURE_BYTES = 16;

const sign = (payload: Buffer) =>
  createHmac("sha256", Resource.Keys.cursor)
    .update("cursor.v1")
    .update(payload)
    .digest()
    .subarray(0, SIGNATURE_BYTES);

// short, whatever the filter is: a cursor has at most 512 characters
const digest = (of: string) => createHash("sha256").update(of).digest("base64url").slice(0, 16);

const now = () => Math.floor(Date.now() / 1000);

const invalid = () =>
  new VisibleError(
    "invalid",
    "cursor.invalid",
    "This cursor is not from this list or older than a day: begin again without one",
    { issues: [{ pointer: "/cursor", detail: "is not one that this list gave within a day" }] },
  );
