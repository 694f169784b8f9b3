import { Resource } from "sst/resource";

import * as Actor from "./actor.ts";
import * as Clock from "./clock.ts";
import { VisibleError } from "./error.ts";
import { fn } from "./fn.ts";
import * as Image from "./image.ts";
import * as Signature from "./signature.ts";
import {
  Create,
  type Created,
  DEFAULT_LIFETIME_SECONDS,
  type UrlRequest,
} from "./signed-url.schema.ts";

export * from "./signed-url.schema.ts";

/**
 * Signed delivery URLs of an image of the signed-in user, as paths with their queries. Every client that has one gets
 * exactly this derivative until it expires.
 *
 * @throws actor.unauthenticated
 * @throws image.not_found
 * @throws image.not_yours
 * @throws image.unfinished
 * @throws preset.unknown
 * @throws quota.signed_urls
 */
export const create = fn(
  Create,
  async ({ id, host, urls, seconds = DEFAULT_LIFETIME_SECONDS }): Promise<Created> => {
    const { id: userId } = Actor.requireUser();
    const image = await Image.getOwnRow(id, userId);
    if (image.state !== "ready" || !image.rev) throw unfinished(image);
    const exp = expirySeconds(seconds);
    const { rev } = image;
    const paths = urls.map((url) => {
      const path = pathOf([id, rev, url.preset && assertPreset(url.preset)]);
      const query = definedOnly(url.query);
      const { kid, sig } = Signature.sign(signingKeys(), { host, path, query }, exp);
      return `${path}?${printQuery({ ...query, exp: String(exp), kid, sig })}`;
    });
    await (await usage()).countSignedUrls(urls.length);
    return { paths, expiresAt: new Date(exp * 1000).toISOString() };
  },
);

export type DeliveryRequest = {
  host: string;
  /** The segments of the path after `/i`. */
  segments: (string | undefined)[];
  query: Record<string, string[] | undefined>;
};

/**
 * Returns if the signature of a delivery request is valid. The error is the same whether the image exists or not.
 *
 * @throws delivery.signature_wrong
 * @throws delivery.signature_expired
 */
export function verify({ host, segments, query }: DeliveryRequest): void {
  const pairs = Object.entries(query).map(([key, values]) => [key, values?.[0] ?? ""]);
  const request = { host, path: pathOf(segments), query: Object.fromEntries(pairs) };
  const result = Signature.verify(signingKeys(), request, Clock.nowSeconds());
  if (result === "valid") return;
  throw result === "expired" ? expired() : wrong();
}

/** The end of the validity, in seconds since 1970: rounded down to a tenth of the lifetime, so that requests that follow each other get the same URL, which a browser has in its cache. */
function expirySeconds(lifetimeSeconds: number) {
  const step = Math.max(1, Math.floor(lifetimeSeconds / 10));
  const latest = Clock.nowSeconds() + lifetimeSeconds;
  return latest - (latest % step);
}

const pathOf = (segments: (string | undefined)[]) =>
  ["/i", ...segments.filter((segment) => segment !== undefined).map(encodeURIComponent)].join("/");

const definedOnly = (query: UrlRequest["query"]) =>
  Object.fromEntries(
    Object.entries(query).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
  );

const printQuery = (query: Record<string, string>) =>
  Object.entries(query)
    .map(([key, text]) => `${key}=${encodeURIComponent(text).replaceAll("%2C", ",")}`)
    .join("&");

function assertPreset(preset: string) {
  const names = Object.keys(Resource.Presets.queries);
  if (names.includes(preset)) return preset;
  throw new VisibleError(
    "invalid",
    "preset.unknown",
    `There is no preset ${JSON.stringify(preset.slice(0, 64))}; the presets are ${names.toSorted().join(", ")}`,
  );
}

const signingKeys = (): Signature.SigningKeys => Resource.DeliveryKeys;

const unfinished = ({ id, state }: Image.Row) =>
  new VisibleError(
    "conflict",
    "image.unfinished",
    `Image ${id} is ${state}; it can have signed URLs when it is ready`,
  );

const wrong = () =>
  new VisibleError(
    "not_found",
    "delivery.signature_wrong",
    "The signature does not fit this URL; use the signed URL exactly as it was given",
  );

const expired = () =>
  new VisibleError(
    "not_found",
    "delivery.signature_expired",
    "This signed URL has expired; ask its owner for a new one",
  );

/** Loaded by the first request that changes the usage: the others start faster without it. */
const usage = () => import("./usage.ts");
