import { createHash } from "node:crypto";

import { decodeTime, encodeTime, ulid } from "ulid";

import type { ImageId } from "./id.schema.ts";

export * from "./id.schema.ts";

const prefix = { image: "img_" } as const;
type Noun = keyof typeof prefix;

export const create = <N extends Noun>(noun: N) => `${prefix[noun]}${ulid()}` as const;

/** The same id for the same cause, however often it is told: the random half comes from `seed`. */
export const derive = <N extends Noun>(noun: N, time: number, seed: string) =>
  `${prefix[noun]}${encodeTime(time)}${letters(seed)}` as const;

/** When the id was made, in milliseconds. */
export const time = (id: ImageId) => decodeTime(id.slice(id.indexOf("_") + 1));

/** No id that was made at `time` or later is smaller. */
export const lowest = <N extends Noun>(noun: N, time: number) =>
  `${prefix[noun]}${encodeTime(time)}${"0".repeat(16)}` as const;

/** 80 bits in the 32 letters of a ULID. */
const letters = (seed: string) =>
  Array.from(
    createHash("sha256").update(seed).digest().subarray(0, 16),
    (byte) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32],
  ).join("");
