import * as SignedUrl from "@balde/core/signed-url";
import { accepted } from "@balde/imaging/accept";
import * as Plan from "@balde/imaging/plan";
import * as Preset from "@balde/imaging/preset";
import * as BudgetFreePlans from "@balde/imaging/budget-free-plans";
import { Refusal } from "@balde/imaging/refusal";
import * as Request from "@balde/imaging/request";
import { Readable } from "node:stream";

import * as Deadline from "./deadline.ts";
import * as Derivative from "./derivative.ts";
import * as EntityTag from "./entity-tag.ts";
import * as ResponseHeaders from "./response-headers.ts";
import * as ImageCache from "./image-cache.ts";
import { presets } from "./presets.ts";
import * as Range from "./range.ts";
import { type Timing, createTiming } from "./server-timing.ts";

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
  const { request: asked, signature } = Request.parse(wish.query);
  const preset = wish.preset ? Preset.apply(presets(), wish.preset, {}) : undefined;
  const ends = signature?.exp;
  // before the picture is looked for: a wrong signature is answered alike whether there is one or not
  if (ends) SignedUrl.verify({ ...wish, segments: [wish.id, wish.rev, wish.preset] });
  const picture = await timing.of("find", ImageCache.get(wish.id, wish.rev, ends !== undefined));
  const visit = { wish, preset, ends, picture, until, timing };
  const exact = await delivered(visit, asked);
  if (exact) return exact;
  const snapped = await delivered(visit, BudgetFreePlans.snap(asked, preset), true);
  if (!snapped) throw new Error(`what is published of ${picture.id} was counted`);
  return snapped;
}

type Visit = {
  wish: Wish;
  preset: Request.Request | undefined;
  ends: number | undefined;
  picture: ImageCache.Picture;
  until: Deadline.Deadline;
  timing: Timing;
};

/** undefined when the budget of the picture is spent and this would need some of it. */
async function delivered(
  { wish, preset, ends, picture, until, timing }: Visit,
  asked: Request.Request,
  isSnapped = false,
): Promise<Answer | undefined> {
  const request = { ...preset, ...asked };
  const planned = (request: Request.Request) =>
    Plan.plan(request, picture.source, accepted(wish.accept));
  const plan = planned(request);
  const hash = Plan.hash(plan);
  const tags = EntityTag.tags(picture.rev, hash);
  const headers = {
    ...ResponseHeaders.caching({ ...picture, ...wish, ends, isSnapped }, request),
    ...ResponseHeaders.safety,
    ...(isSnapped && { "Content-Location": `?${Request.print(asked)}` }),
  };
  // whichever is there now, the one that the client has is as good
  const known = [tags.first, tags.better].find((tag) => EntityTag.isKnown(tag, wish.ifNoneMatch));
  if (known) return { status: 304, headers: { ...headers, ETag: known } };

  const needsBudget =
    ends === undefined &&
    !isSnapped &&
    !isPublished(hash, () => planned({ ...preset, ...BudgetFreePlans.snap(asked, preset) }));
  const order = { picture, plan, hash, needsBudget };
  const how = { isHead: wish.isHead, timing, until };
  const { ifRange } = wish;
  const part = ifRange && [tags.first, tags.better].find((tag) => EntityTag.isSame(tag, ifRange));
  const range = wish.isHead ? undefined : Range.read(wish.range, ifRange, part || tags.first);
  const whole = () => Derivative.get(order, { ...how, range: undefined });
  let made = await Derivative.get(order, { ...how, range }).catch((error: unknown) => {
    // behind the end of the one may be within the other
    if (part && error instanceof Range.Outside) return whole();
    throw error;
  });
  if (made && range && part && part !== tagOf(made, tags)) {
    // the client has a part of the other one
    if (made.body instanceof Readable) made.body.destroy();
    made = await whole();
  }
  if (!made) return undefined;
  const { body, bytes, contentRange, store } = made;
  const about = {
    ...headers,
    ETag: tagOf(made, tags),
    ...ResponseHeaders.content(picture.id, plan, request.dl),
    ...(bytes !== undefined && { "Content-Length": String(bytes) }),
    "Server-Timing": timing.header(),
  };
  if (contentRange === undefined) return { status: 200, headers: about, body, store };
  return { status: 206, headers: { ...about, "Content-Range": contentRange }, body, store };
}

const tagOf = ({ isBetter }: Derivative.Derivative, tags: ReturnType<typeof EntityTag.tags>) =>
  isBetter ? tags.better : tags.first;

/** Whether anybody may ask for it, however often: rounding leaves it as it is. */
function isPublished(hash: string, snapped: () => Plan.Plan): boolean {
  try {
    return Plan.hash(snapped()) === hash;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
