import { Resource } from "sst/resource";

import * as Actor from "./actor.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Image from "./image.ts";
import * as Signature from "./signature.ts";
import { Create, type Created, SECONDS, type Wish } from "./signed-url.schema.ts";

export * from "./signed-url.schema.ts";

/** Addresses under which the owner's image is delivered to whoever has them, for a while, exactly as they say. */
export const create = fn(Create, async ({ id, host, wishes, seconds = SECONDS }) => {
  const me = Actor.user();
  const image = await Image.getOwn(id, me.id);
  if (image.state !== "ready" || !image.rev) throw unfinished(image);
  const exp = end(seconds);
  const { rev } = image;
  const paths = wishes.map((wish) => {
    const path = pathOf([id, rev, wish.preset && known(wish.preset)]);
    const query = given(wish.query);
    const { kid, sig } = Signature.sign(keys(), { host, path, query }, exp);
    return `${path}?${print({ ...query, exp: String(exp), kid, sig })}`;
  });
  return { paths, expiresAt: new Date(exp * 1000).toISOString() } satisfies Created;
});

export type Asked = {
  host: string;
  /** What the path says after `/i`. */
  segments: (string | undefined)[];
  query: Record<string, string[] | undefined>;
};

/** Refuses an address whose signature is not true or whose time is over: with the same words whether there is such an image or not. */
export function check({ host, segments, query }: Asked): void {
  const texts = Object.entries(query).map(([key, values]) => [key, values?.[0] ?? ""]);
  const address = { host, path: pathOf(segments), query: Object.fromEntries(texts) };
  const worth = Signature.check(keys(), address, now());
  if (worth === "good") return;
  throw worth === "expired" ? expired() : wrong();
}

/** Ends on a tenth of the lifetime, never later than asked: whoever asks again soon gets the same address, and a browser has its picture already. */
function end(seconds: number) {
  const step = Math.max(1, Math.floor(seconds / 10));
  const latest = now() + seconds;
  return latest - (latest % step);
}

const pathOf = (segments: (string | undefined)[]) =>
  ["/i", ...segments.filter((segment) => segment !== undefined).map(encodeURIComponent)].join("/");

const given = (query: Wish["query"]) =>
  Object.fromEntries(
    Object.entries(query).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
  );

const print = (query: Record<string, string>) =>
  Object.entries(query)
    .map(([key, text]) => `${key}=${encodeURIComponent(text).replaceAll("%2C", ",")}`)
    .join("&");

function known(preset: string) {
  const names = Object.keys(Resource.Presets.queries);
  if (names.includes(preset)) return preset;
  throw new VisibleError(
    "invalid",
    "preset.unknown",
    `${JSON.stringify(preset.slice(0, 64))} is no preset; the presets are ${names.toSorted().join(", ")}`,
  );
}

const keys = (): Signature.Keys => Resource.DeliveryKeys;

const now = () => Math.floor(Date.now() / 1000);

const unfinished = ({ id, state }: Image.Row) =>
  new VisibleError(
    "conflict",
    "image.unfinished",
    `Image ${id} is ${state}; it has addresses when it is ready`,
  );

const wrong = () =>
  new VisibleError(
    "not_found",
    "delivery.signature_wrong",
    "The signature is not one for this address: ask for the address exactly as it was given",
  );

const expired = () =>
  new VisibleError(
    "not_found",
    "delivery.signature_expired",
    "This address was good for a while, which is over: its owner gives out a new one",
  );
