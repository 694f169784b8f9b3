import * as SignedUrl from "@balde/core/signed-url";
import { accepted } from "@balde/images/accept";
import * as Plan from "@balde/images/plan";
import * as Preset from "@balde/images/preset";
import * as Request from "@balde/images/request";
import type { Readable } from "node:stream";

import * as Deadline from "./deadline.ts";
import * as Derivative from "./derivative.ts";
import * as EntityTag from "./entity-tag.ts";
import * as Header from "./header.ts";
import * as Picture from "./picture.ts";
import { presets } from "./presets.ts";
import * as Range from "./range.ts";
import { createTiming } from "./timing.ts";

/** What a visitor wants, in HTTP's words. */
export type Wish = {
  host: string;
  id: string;
  rev: string | undefined;
  preset: string | undefined;
  query: Record<string, string[] | undefined>;
  isHead: boolean;
  accept: string | undefined;
  ifNoneMatch: string | undefined;
  range: string | undefined;
  ifRange: string | undefined;
};

export type Answer = {
  status: number;
  headers: Record<string, string>;
  body?: Buffer | Readable | undefined;
  /** What is left to do when the answer is out; it never rejects. */
  store?: (() => Promise<void>) | undefined;
};

/** Plans, and does no more than the plan needs: nothing for who has it already, a copy for who is not the first, pixels for the first, who gets them by then or is refused. */
export async function answer(wish: Wish, until = Deadline.after(Infinity)): Promise<Answer> {
  const timing = createTiming();
  const asked = Request.parse(wish.query);
  const request = wish.preset ? Preset.apply(presets(), wish.preset, asked.request) : asked.request;
  const ends = asked.signature?.exp;
  // before the picture is looked for: a wrong signature is answered alike whether there is one or not
  if (ends) SignedUrl.check({ ...wish, segments: [wish.id, wish.rev, wish.preset] });
  const picture = await timing.of("find", Picture.get(wish.id, wish.rev, ends !== undefined));
  const plan = Plan.plan(request, picture.source, accepted(wish.accept));
  const hash = Plan.hash(plan);
  const etag = `"${picture.rev}-${hash}"`;
  const headers = {
    ...Header.caching({ ...picture, ...wish, ends }, request),
    ...Header.safety,
    ETag: etag,
  };
  if (EntityTag.isKnown(etag, wish.ifNoneMatch)) return { status: 304, headers };

  const range = wish.isHead ? undefined : Range.read(wish.range, wish.ifRange, etag);
  const { body, bytes, contentRange, store } = await Derivative.get(
    { picture, plan, hash },
    { isHead: wish.isHead, range, timing, until },
  );
  const about = {
    ...headers,
    ...Header.content(picture.id, plan, request.dl),
    ...(bytes !== undefined && { "Content-Length": String(bytes) }),
    "Server-Timing": timing.header(),
  };
  if (contentRange === undefined) return { status: 200, headers: about, body, store };
  return { status: 206, headers: { ...about, "Content-Range": contentRange }, body, store };
}
