import type * as Ingest from "@balde/core/ingest";
import type { Prepared } from "@balde/imaging/prepare";

/** What the image's row says of the prepared image. `bytes` is the size of the original. */
export const findings = (bytes: number, prepared: Prepared): Ingest.Findings => ({
  type: prepared.contentType,
  bytes,
  width: prepared.width,
  height: prepared.height,
  rev: prepared.rev,
  color: prepared.color,
  thumbhash: prepared.thumbhash,
  hasAlpha: prepared.hasAlpha,
  pages: prepared.pages,
  credit: prepared.credit,
  rungs: prepared.rungs.map(({ width, height, contentType, data }) => ({
    width,
    height,
    type: rungType(contentType),
    bytes: data.length,
  })),
});

export const rungType = (contentType: string): "image/png" | "image/jpeg" =>
  contentType === "image/png" ? "image/png" : "image/jpeg";
