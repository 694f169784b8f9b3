// All limits, each with its reason. Measured on 2 vCPU with sharp 0.35.5; "RSS" is peak resident memory of a process whose base is 72 MB.

/** The largest accepted upload. The bytes stay in memory while the decoder works; a function with 1 GB of memory has no room for more. */
export const MAX_INPUT_BYTES = 500 * 2 ** 20;

/** Pixels of the longest accepted side. The decoders' buffers grow with the length of a row, and the only longer images that we met were attacks (1 × 60,000). */
export const MAX_SIDE = 30_000;

/**
 * Pixels of all frames together, per input format, because what a pixel costs depends on the decoder.
 * JPEG, PNG, WebP and TIFF are decoded in strips: 100 megapixels need 104–441 MB RSS and at most 1.9 s.
 * AVIF is decoded whole at about 18 MB per megapixel: 40 megapixels are some 750 MB, 100 were 1,841 MB and killed the process.
 * SVG is rasterised whole, 4 bytes per pixel, by a renderer that no time limit interrupts.
 * GIF is decoded frame by frame; 50 megapixels of frames take about a second.
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

/** A progressive JPEG and an interlaced PNG are held whole until their last byte: up to 8 bytes per pixel, which is 400 MB. */
export const MAX_PROGRESSIVE_PIXELS = 50e6;

/** Pixels times scans of a progressive JPEG. A scan needs only a few bytes and costs 1.6 ns per pixel, in one call that no time limit interrupts: 883 scans of 25 megapixels are 88 KB and took longer than 30 s. Encoders write about ten scans, at most 64. */
export const MAX_SCANNED_PIXELS = 2e9;

/** A JPEG spends at least one bit on each block of 64 pixels, so a file with fewer bytes than pixels / 512 is truncated, and decoding it would cost as much as a complete one. */
export const MAX_JPEG_PIXELS_PER_BYTE = 512;

/** Pixels of all frames of an animation. They are decoded as one tall image, 4 bytes per pixel, which is 200 MB. */
export const MAX_ANIMATION_PIXELS = 50e6;

/** About a minute at 16 frames per second. Each frame has a fixed cost (header, palette, disposal), however small it is. */
export const MAX_FRAMES = 1000;

/** The largest regular profiles (CMYK with lookup tables) have about 2 MB. */
export const MAX_PROFILE_BYTES = 4 * 2 ** 20;

/** An SVG usually has a few kilobytes, and each element costs the renderer far more than its bytes. */
export const MAX_SVG_BYTES = 2 ** 20;
/** Levels of nested elements. Drawings have about twelve; libxml2 stops at 256, and deep recursion crashes parsers. */
export const MAX_SVG_DEPTH = 100;
/** In units of one shape, about 150 microseconds on a canvas of one megapixel (svg-cost.ts): about 4 seconds. A detailed map has 10,000. */
export const MAX_SVG_COST = 25_000;

/** Pixels of a delivered picture: one 25-megapixel WebP at effort 2 costs about 1.5 s of one CPU. */
export const MAX_OUTPUT_PIXELS = 25e6;
/** Pixels of the longest side of a delivered picture. WebP allows 16,383; half of it is enough for every screen, `dpr` included. */
export const MAX_OUTPUT_EDGE = 8192;
/** libvips' `timeout` does not interrupt AVIF encoding (set to 1 s, it took 9.3 s), so size and effort limit the cost instead: 8 megapixels at effort 0 take at most 2 s. */
export const MAX_AVIF_PIXELS = 8e6;
/** Pixels to which `fit=cover` may scale before the crop. libvips computes only the part that remains, but its coordinates have limits. */
export const MAX_SCALED_PIXELS = 100e6;

/** Seconds of one processor that a plan may take by estimate, without decoding (render-cost.ts). A slow function takes twice as long, which is still below RENDER_SECONDS. */
export const MAX_RENDER_COST_SECONDS = 8;

/** libvips' time limit for a delivery. libvips checks it between two strips, so it does not stop the AVIF encoder, an SVG or the scans of a JPEG: the caller of `render` needs a second limit that ends the process. */
export const RENDER_SECONDS = 20;
/** After this time the worker process is killed. The most expensive accepted image, an animation of 50 megapixels with a named copy, is encoded four times and takes 20 s on a slow processor. */
export const PREPARE_SECONDS = 40;
/** Reading a header takes a millisecond, checking an SVG at most a second. */
export const PRECHECK_SECONDS = 10;

/** Named copies are served through the gateway's S3 integration, which allows 10 MB (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html); the difference is room for headers. */
export const MAX_NAMED_COPY_BYTES = 9_500_000;
/** Pixels of the longest side. */
export const MAX_NAMED_COPY_EDGE = 4096;

/** Pixels of the long edge of each rung. Three rungs serve widths of 160 to 2048 at 1/6 of the decode cost; rungs between them saved only 2 %. */
export const RUNG_EDGES = [2048, 1024, 512] as const;

/** Characters of an artist or copyright text: enough for a name, a year and a URL. The text is stored in the image's row. */
export const MAX_CREDIT_CHARACTERS = 200;
/** Entries of an EXIF directory that are read. Cameras write about twenty. */
export const MAX_EXIF_TAGS = 200;

/** Memory that a process may need in addition to its base to process any accepted image: the largest decoded image plus the results. A function has 1,769 MB. */
export const MAX_HELD_MEGABYTES = 800;
