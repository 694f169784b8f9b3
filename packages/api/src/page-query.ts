import * as Image from "@balde/core/image.schema";
import * as z from "zod/mini";

import { number } from "./validators.ts";

/** The query of a list: the number of items, and the `next` of the page before. */
export const PageQuery = z.strictObject({
  limit: z.optional(number(Image.Limit)),
  cursor: z.optional(Image.Cursor),
});
