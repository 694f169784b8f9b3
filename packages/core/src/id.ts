import { createHash } from "node:crypto";

import { decodeTime, encodeTime, ulid } from "ulid";

import type { ImageId } from "./id.schema.ts";

export * from "./id.schema.ts";

const prefix = { image: "img_" } as const;
type Noun = keyof typeof prefix;

/** A new id with the current time. */
export const create = <N extends Noun>(noun: N) => `${prefix[noun]}${ulid()}` as const;

/** The id with this time (in milliseconds) whose other half is a hash of `seed`: the same input always makes the same id. */
export const derive = <N extends Noun>(noun: N, timeMs: number, seed: string) =>
  `${prefix[noun]}${encodeTime(timeMs)}${hashToLetters(seed)}` as const;

/**
 * The id of the image of a request through `PUT /s3`, of API Gateway's `requestTimeEpoch` and `extendedRequestId`. The
 * gateway makes the same in its own template language, which has no hash (infra/s3-put-route.ts).
 */
export const ofRequest = (timeMs: number, requestId: string): ImageId =>
  `img_${encodeTime(timeMs)}${requestId
    .toUpperCase()
    .padEnd(16, "0")
    .replaceAll(/[^0-9A-HJKMNP-TV-Z]/g, "0")
    .slice(0, 16)}`;

/** The time in an id, in milliseconds since 1970. */
export const timestampMs = (id: ImageId): number => decodeTime(id.slice(id.indexOf("_") + 1));

/** 80 bits in the 32 letters of a ULID: https://github.com/ulid/spec */
const hashToLetters = (seed: string) =>
  Array.from(
    createHash("sha256").update(seed).digest().subarray(0, 16),
    (byte) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32],
  ).join("");
