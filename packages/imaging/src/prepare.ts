import { createHash } from "node:crypto";

import type { Credit } from "./exif-credit.ts";
import * as DisplayP3 from "./display-p3.ts";
import { engine } from "./load-sharp.ts";
import { type Header, identify } from "./identify.ts";
import * as Ladder from "./ladder.ts";
import type { Size } from "./layout.ts";
import * as Limits from "./limits.ts";
import * as Placeholder from "./placeholder.ts";
import { type Pixels, type Published, publish } from "./named-copy.ts";
import { blamingInput } from "./refusal.ts";

/** Everything that is worked out once, when a picture arrives. */
export type Prepared = {
  format: Header["format"];
  contentType: string;
  /** Upright pixels of one frame. */
  width: number;
  height: number;
  /** Whether any pixel is see-through, not merely whether there is a channel for it. */
  hasAlpha: boolean;
  pages: number;
  /** Hexadecimal SHA-256 of the bytes; its first 12 digits are the revision. */
  sha256: string;
  rev: string;
  /** `#rrggbb`, the dominant colour. */
  color: string;
  /** base64 */
  thumbhash: string;
  /** Empty where the original names nobody. */
  credit: Credit;
  rungs: (Ladder.Rung & { data: Buffer })[];
  published?: Published;
};

/** Checks, decodes once and makes what delivery will need; with `publish` also the copy that the bucket's own route shows. Throws `Refusal` when the bytes are to blame. */
export async function prepare(bytes: Buffer, options: { publish: boolean }): Promise<Prepared> {
  const header = await identify(bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return blamingInput(async () => {
    const sizes = header.pages > 1 || header.format === "svg" ? [] : Ladder.rungs(header);
    const base = await decoded(
      bytes,
      header,
      options.publish
        ? within(header, Limits.MAX_PUBLISHED_EDGE)
        : (sizes[0] ?? within(header, Limits.RUNG_EDGES[0])),
    );
    const hasAlpha = !isOpaque(base);
    const { smallest, rungs } = await climb(base, sizes, hasAlpha, bytes.length);
    const published = options.publish
      ? { published: await publish(bytes, header, base, hasAlpha) }
      : {};
    const { width, height, format, contentType, pages, credit } = header;
    return {
      format,
      contentType,
      width,
      height,
      hasAlpha,
      pages,
      sha256,
      rev: sha256.slice(0, 12),
      ...(await small(smallest)),
      credit,
      rungs,
      ...published,
    };
  });
}

/** The one decode: upright, sRGB, 8 bits, no larger than the largest thing made from it. */
async function decoded(bytes: Buffer, header: Header, size: Size): Promise<Pixels> {
  const sharp = await engine();
  const opened = sharp(bytes, {
    failOn: "error",
    limitInputPixels: Limits.MAX_PIXELS[header.format],
    sequentialRead: true,
  });
  const upright = header.pages > 1 ? opened : opened.autoOrient();
  return pixels(
    (header.isDeep ? DisplayP3.toSrgb(upright) : upright)
      .timeout({ seconds: Limits.PREPARE_SECONDS })
      .resize({ ...size, fit: "fill" })
      .toColourspace("srgb"),
  );
}

/** Each rung is scaled from the one above it, while that one is being encoded. */
async function climb(base: Pixels, sizes: Size[], hasAlpha: boolean, mostBytes: number) {
  const sharp = await engine();
  const encoding: Promise<Ladder.Rung & { data: Buffer }>[] = [];
  let above = base;
  for (const size of sizes) {
    if (size.width !== above.width || size.height !== above.height)
      above = await pixels(open(sharp, above).resize({ ...size, fit: "fill" }));
    encoding.push(encoded(sharp, above, hasAlpha));
  }
  // a rung that is larger than the original saves nobody anything
  const rungs = (await Promise.all(encoding)).filter(({ data }) => data.length < mostBytes);
  return { smallest: above, rungs };
}

async function encoded(sharp: Awaited<ReturnType<typeof engine>>, from: Pixels, hasAlpha: boolean) {
  const picture = open(sharp, from);
  const written = hasAlpha
    ? picture.png({ compressionLevel: 6 })
    : picture.flatten().jpeg(Ladder.jpeg(from));
  return {
    width: from.width,
    height: from.height,
    contentType: Ladder.contentType(hasAlpha),
    data: await written.toBuffer(),
  };
}

async function small(from: Pixels) {
  const sharp = await engine();
  const size = within(from, Placeholder.EDGE);
  const { data } = await pixels(
    open(sharp, from)
      .resize({ ...size, fit: "fill" })
      .toColourspace("srgb")
      .ensureAlpha(),
  );
  return Placeholder.placeholder(data, size);
}

// `raw` without the `premultiplied` that libvips reports: it says what was done inside, not what came out
const open = (
  sharp: Awaited<ReturnType<typeof engine>>,
  { data, width, height, channels }: Pixels,
) => sharp(data, { raw: { width, height, channels } });

async function pixels(picture: ReturnType<typeof open>): Promise<Pixels> {
  const { data, info } = await picture
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return {
    data,
    width: info.width,
    height: info.height,
    channels: info.channels as Pixels["channels"],
  };
}

function within({ width, height }: Size, edge: number): Size {
  const by = Math.min(1, edge / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * by)),
    height: Math.max(1, Math.round(height * by)),
  };
}

function isOpaque({ data, channels }: Pixels): boolean {
  if (channels === 3 || channels === 1) return true;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return false;
  return true;
}
