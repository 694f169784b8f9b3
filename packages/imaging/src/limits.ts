// Every number that stops something, with its reason. Measured on 2 vCPU with sharp 0.35.5; "RSS" is peak resident memory of a process whose base is 72 MB.

/** The largest accepted upload: the picture is held whole in memory beside its decoder, so a gigabyte of function memory carries this and no more. */
export const MAX_INPUT_BYTES = 500 * 2 ** 20;

/** No side may be longer: beyond it one row no longer fits the decoders' strip buffers cheaply, WebP (16,383) cannot hold even a third of it, and the only pictures we met there were attacks (1 × 60,000). */
export const MAX_SIDE = 30_000;

/**
 * Pixels of all frames together, per input format, because what a pixel costs depends on the decoder.
 * JPEG, PNG, WebP and TIFF are decoded in strips: 100 megapixels need 104–441 MB RSS and at most 1.9 s.
 * AVIF is decoded whole at about 18 MB per megapixel: 40 megapixels are some 750 MB, 100 were 1,841 MB and killed the process.
 * SVG is rasterised whole, 4 bytes a pixel, by a renderer that no time limit interrupts.
 * GIF is held frame by frame, and 50 megapixels of frames are what a second of work draws.
 */
export const MAX_PIXELS = {
  jpeg: 100e6,
  png: 100e6,
  webp: 100e6,
  tiff: 100e6,
  avif: 40e6,
  svg: 25e6,
  gif: 50e6,
} as const;

/** A progressive JPEG and an interlaced PNG are held whole until their last byte: up to 8 bytes a pixel, so this is 400 MB. */
export const MAX_PROGRESSIVE_PIXELS = 50e6;

/** Pixels times scans of a progressive JPEG. A scan costs a few bytes and 1.6 ns a pixel, in one call that no time limit interrupts: 883 scans of 25 megapixels are 88 KB and took longer than 30 s. Encoders write ten scans, the most thorough one 64. */
export const MAX_SCANNED_PIXELS = 2e9;

/** A JPEG spends at least one bit on each block of 64 pixels, so fewer bytes than pixels / 512 are not the whole picture, and decoding what is missing would cost as much as the picture. */
export const MAX_JPEG_PIXELS_PER_BYTE = 512;

/** All frames of a moving picture together: they are decoded as one tall picture, 4 bytes a pixel, so this is 200 MB. */
export const MAX_ANIMATION_PIXELS = 50e6;

/** A minute at 16 frames a second; each frame costs its own header, palette and disposal however small it is. */
export const MAX_FRAMES = 1000;

/** The largest honest profile (CMYK press with its lookup tables) is about 2 MB; anything larger is a hiding place. */
export const MAX_PROFILE_BYTES = 4 * 2 ** 20;

/** Text of an SVG: drawings are kilobytes, and every element costs the renderer far more than its bytes. */
export const MAX_SVG_BYTES = 2 ** 20;
/** Drawings are a dozen levels deep; libxml2 stops at 256 and recursion is what parsers die of. */
export const MAX_SVG_DEPTH = 100;
/** Shapes, or as much work as they are (svg-work.ts): some 150 microseconds each on a canvas of one megapixel, so this is 4 seconds. A detailed map has 10,000. */
export const MAX_SVG_COST = 25_000;

/** A delivered picture, whatever was asked: one 25-megapixel WebP at effort 2 costs about 1.5 s of one CPU. */
export const MAX_OUTPUT_PIXELS = 25e6;
/** WebP ends at 16,383 (its field has 14 bits); half of it serves every screen with `dpr`. */
export const MAX_OUTPUT_EDGE = 8192;
/** libvips' `timeout` does not interrupt AVIF encoding (1 s asked, 9.3 s taken), so its work is bounded by size and effort instead: 8 megapixels at effort 0 end within 2 s. */
export const MAX_AVIF_PIXELS = 8e6;
/** What a cover may scale to before it is cut: libvips computes only the part that stays, but its coordinates and our patience are finite. */
export const MAX_SCALED_PIXELS = 100e6;

/** Seconds of one processor that a plan may be expected to take, reading apart (work.ts): on a slow function it is twice that, and must end before the limit on time. Nobody's page waits for more. */
export const MAX_RENDER_COST_SECONDS = 8;

/** libvips' own limit on a delivery: it stops between two strips, and cannot stop AVIF's encoder, an SVG or the scans of a JPEG. Whoever runs `render` has one behind it that ends the process. */
export const RENDER_SECONDS = 20;
/** An upload may take its time once: the worst that is accepted, a moving picture of 50 megapixels to be published, is encoded four times and takes 20 s on a slow processor. The process is ended then. */
export const PREPARE_SECONDS = 40;
/** Reading a header takes a millisecond, the rules of an SVG a second at most. */
export const PRECHECK_SECONDS = 10;

/** Published pictures are read through the gateway's S3 integration, which buffers and stops at 10 MB (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html); the rest is headers' room. */
export const MAX_NAMED_COPY_BYTES = 9_500_000;
export const MAX_NAMED_COPY_EDGE = 4096;

/** Rungs of the ladder, long edge: three cover widths 160 to 2048 at 1/6 of the decode cost, and half octaves between them bought 2 %. */
export const RUNG_EDGES = [2048, 1024, 512] as const;

/** Characters of an artist's or a copyright's text: a name, a year and an address; it is part of the image's row and of every file that it is asked for in. */
export const MAX_CREDIT_CHARACTERS = 200;
/** Entries of an EXIF directory that are looked at: cameras write some twenty. */
export const MAX_EXIF_TAGS = 200;

/** What any accepted picture may make a process hold beyond itself: the larger of the two limits on pixels that are held whole, with room for what is made of them. A function has 1,769 MB. */
export const MAX_HELD_MEGABYTES = 800;
