// Every limit with its reason. Measured on 2 vCPU with sharp 0.35.5; "RSS" is peak resident memory of a process whose base is 72 MB.

/** The largest accepted original: 100 megapixels of an uncompressed TIFF are 286 MiB, 83 of one with 16 bits 479. It is read from a file and not held in memory; the file must fit into the function's `/tmp`, and be read in its time. */
export const MAX_INPUT_BYTES = 500 * 2 ** 20;

/** The longest side in pixels: longer rows no longer fit the decoders' strip buffers cheaply, WebP (16,383) has about half of it, and the only longer images that we met were attacks (1 × 60,000). */
export const MAX_SIDE = 30_000;

/**
 * Pixels of all frames together, per input format, because the cost of a pixel depends on the decoder.
 * JPEG, PNG, WebP and TIFF are decoded in strips: 100 megapixels need 104–488 MB RSS with everything that ingest makes of them, and at most 7 s.
 * A hostile TIFF of 3 MB, whose 16-bit bands are one strip each, needs 1,210 MB and 8 s.
 * AVIF is decoded whole at about 18 MB per megapixel: 40 megapixels are some 750 MB, 100 were 1,841 MB and killed the process.
 * SVG is rasterised whole, 4 bytes a pixel, by a renderer that no time limit interrupts.
 * GIF is held frame by frame, and 50 megapixels of frames take a second.
 */
export const MAX_PIXELS = {
  jpeg: 100e6,
  png: 100e6,
  webp: 100e6,
  tiff: 100e6,
  avif: 40e6,
  svg: 25e6,
  gif: 50e6,
  heic: 50e6,
  avis: 40e6,
} as const;

/**
 * The memory of the WebAssembly that decodes HEIF. It holds the file and one tile, which are some 30 MB of an iPhone's photograph.
 * An image without tiles needs 5 to 23 bytes a pixel (8 bits 4:2:0, 10 bits 4:4:4 with alpha).
 */
export const MAX_HEIF_MEMORY_BYTES = 640 * 2 ** 20;
/** Bytes of a HEIF: it is held twice in memory, and 50 megapixels with little compression have half of this. */
export const MAX_HEIF_BYTES = 64 * 2 ** 20;
/** Pixels that are decoded for a HEIF, with those that it cuts off and the unused parts of its tiles. */
export const MAX_HEIF_CODED_PIXELS = 55e6;
/** Tiles of a HEIF: an iPhone's 48 megapixels have 192. Each begins a decoder. */
export const MAX_HEIF_TILES = 4096;
/** EXIF or XMP of a HEIF: a camera writes some kilobytes, with a preview up to 64. */
export const MAX_HEIF_METADATA_BYTES = 2 ** 20;

/** An interlaced PNG is held whole until its last byte, above 100 MB in a file of libvips in `/tmp`: up to 8 bytes a pixel, so this is 400 MB beside the original. A progressive JPEG is held whole in memory, 783 MB for 100 megapixels and 1,012 MB in CMYK, which fits. */
export const MAX_INTERLACED_PIXELS = 50e6;

/** Pixels and bytes of a JPEG without the marker of its end. Whether it is complete is seen by decoding it twice, with all bytes and pixels in memory: 100 megapixels and 200 MB of bytes would need more than the function has. */
export const MAX_ENDLESS_JPEG_PIXELS = 25e6;
export const MAX_ENDLESS_JPEG_BYTES = 64 * 2 ** 20;

/** Pixels times scans of a progressive JPEG. A scan costs a few bytes and 1.6 ns a pixel, in one call that no time limit interrupts: 883 scans of 25 megapixels are 88 KB and took longer than 30 s. Encoders write ten scans, the most thorough one 64. */
export const MAX_SCANNED_PIXELS = 2e9;

/** A JPEG has at least one bit per block of 64 pixels. A file with fewer bytes than pixels / 512 is incomplete, and decoding the missing part would cost as much as a whole image. */
export const MAX_JPEG_PIXELS_PER_BYTE = 512;

/** All frames of an animation together: they are decoded as one tall picture, 4 bytes a pixel, so this is 200 MB. */
export const MAX_ANIMATION_PIXELS = 50e6;

/** A minute at 16 frames a second; each frame costs its own header, palette and disposal at any size. */
export const MAX_FRAMES = 1000;

/** The largest real profile (CMYK press with its lookup tables) is about 2 MB; a larger one hides other data. */
export const MAX_PROFILE_BYTES = 4 * 2 ** 20;

/** Bytes of an SVG: real ones have kilobytes, and every element costs the renderer far more than its bytes. */
export const MAX_SVG_BYTES = 2 ** 20;
/** An SVG is drawn once, at its own size, or at the smallest multiple of it with this long edge, the largest rung of photographs: `MAX_PIXELS.svg` is the largest raster. Larger pictures, which only `up` gives, are enlarged pixels. */
export const MIN_SVG_RASTER_EDGE = 2048;
/** Cost times megapixels up to which an SVG is enlarged: half a second. An icon has less than 100 and a large drawing needs no enlarging. */
export const MAX_SVG_ENLARGED_COST = 3000;
/** Levels of an SVG: real ones have a dozen; libxml2 stops at 256, and deep recursion crashes parsers. */
export const MAX_SVG_DEPTH = 100;
/** The cost of an SVG in units of one shape (svg-cost.ts): some 150 microseconds each on a canvas of one megapixel, so this is 4 seconds. A detailed map has 10,000. */
export const MAX_SVG_COST = 25_000;

/** Pixels of a delivered picture: one 25-megapixel WebP at effort 2 costs about 1.5 s of one CPU. */
export const MAX_OUTPUT_PIXELS = 25e6;
/** WebP ends at 16,383 (its field has 14 bits); half of it serves every screen with `dpr`. */
export const MAX_OUTPUT_EDGE = 8192;
/** libvips' `timeout` does not interrupt AVIF encoding (1 s asked, 9.3 s taken), so its work is bounded by size and effort instead: 8 megapixels at effort 0 end within 2 s. */
export const MAX_AVIF_PIXELS = 8e6;
/** Pixels that a `cover` may scale to before it is cropped: libvips computes only the part that remains, but its coordinates are limited. */
export const MAX_SCALED_PIXELS = 100e6;

/** Estimated seconds of one processor for a plan, without decoding (render-cost.ts): a slow function takes twice that, and must end before the time limit. */
export const MAX_RENDER_COST_SECONDS = 8;

/** libvips' own time limit for a delivery: it stops between two strips, and cannot stop AVIF's encoder, an SVG or the scans of a JPEG. A caller of `render` has a second limit that ends the process. */
export const RENDER_SECONDS = 20;
/** The time limit of `prepare`, after which its process is ended. The most expensive accepted image, an animation of 50 megapixels with a named copy, is encoded four times and takes 20 s on a slow processor. */
export const PREPARE_SECONDS = 40;
/** The time limit of `precheck`: reading a header takes a millisecond, the checks of an SVG at most a second. */
export const PRECHECK_SECONDS = 10;

/** Bytes of a named copy: it is read through the gateway's S3 integration, which buffers at most 10 MB (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html); the difference is for headers. */
export const MAX_NAMED_COPY_BYTES = 9_500_000;
export const MAX_NAMED_COPY_EDGE = 4096;

/** Rungs of the ladder, long edge: three cover widths 160 to 2048 at 1/6 of the decode cost, and half octaves between them bought 2 %. */
export const RUNG_EDGES = [2048, 1024, 512] as const;

/** Characters of an Artist or Copyright text: a name, a year and an address. It is stored in the image's row and written into every picture with `meta=copyright`. */
export const MAX_CREDIT_CHARACTERS = 200;
/** Entries of an EXIF directory that are read: cameras write some twenty. */
export const MAX_EXIF_TAGS = 200;

/** The memory in megabytes that an accepted image may make a process use in addition: a progressive JPEG of 100 megapixels in CMYK. A function has 1,769 MB. */
export const MAX_HELD_MEGABYTES = 1000;
