import * as Image from "@balde/core/image.schema";
import * as z from "zod/mini";

import { number } from "./validators.ts";

/** Which part of a list: the cursor is the last answer's `next`. */
export const Page = z.strictObject({
  limit: z.optional(number(Image.Limit)),
  cursor: z.optional(Image.Cursor),
});
