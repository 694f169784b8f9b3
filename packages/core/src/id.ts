import { decodeTime, ulid } from "ulid";

import type { ImageId } from "./id.schema.ts";

export * from "./id.schema.ts";

const prefix = { image: "img_" } as const;

export const create = <Noun extends keyof typeof prefix>(noun: Noun, time?: number) =>
  `${prefix[noun]}${ulid(time)}` as const;

/** When the id was made, in milliseconds. */
export const time = (id: ImageId) => decodeTime(id.slice(id.indexOf("_") + 1));
