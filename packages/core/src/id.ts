import { decodeTime, encodeTime, ulid } from "ulid";

import type { ImageId } from "./id.schema.ts";

export * from "./id.schema.ts";

const prefix = { image: "img_" } as const;
type Noun = keyof typeof prefix;

export const create = <N extends Noun>(noun: N) => `${prefix[noun]}${ulid()}` as const;

/** When the id was made, in milliseconds. */
export const time = (id: ImageId) => decodeTime(id.slice(id.indexOf("_") + 1));

/** No id that was made at `time` or later is smaller. */
export const lowest = <N extends Noun>(noun: N, time: number) =>
  `${prefix[noun]}${encodeTime(time)}${"0".repeat(16)}` as const;
