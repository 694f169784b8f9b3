import * as z from "zod/mini";

const ulid = z.string().check(z.regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/));

/** `img_` and a ULID (https://github.com/ulid/spec): sorts by time, and has 80 random bits. */
export type ImageId = z.infer<typeof ImageId>;
export const ImageId = z.templateLiteral(["img_", ulid], "an image id is img_ and a ULID");
