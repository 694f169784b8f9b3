import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import v8 from "node:v8";

import * as Limits from "../limits.ts";
import { Refusal } from "../refusal.ts";

// libheif's C functions as WebAssembly, called by address: its JavaScript interface knows no colour profile, no tiles and no
// limits. What they do: https://github.com/strukturag/libheif/tree/master/libheif/api/libheif

/** The functions in use; pointers are offsets in `HEAPU8`. A function that returns a `heif_error` writes it where its first argument points. */
export type Libheif = Record<`_heif_${string}`, (...numbers: number[]) => number> & {
  _malloc(size: number): number;
  HEAPU8: Uint8Array<ArrayBuffer>;
};

type Factory = (options: { wasmBinary: Uint8Array }) => Libheif;

/**
 * A new instance of libheif, whose memory is freed with it. The first takes 60 ms, others 20. WebAssembly cannot touch memory outside of its own,
 * which has a maximum.
 */
export function load(): Libheif {
  // the next memory that is made cannot grow beyond this
  v8.setFlagsFromString(`--wasm-max-mem-pages=${Limits.MAX_HEIF_MEMORY_BYTES / 2 ** 16}`);
  const require = createRequire(import.meta.url);
  const create = require("libheif-js/libheif-wasm/libheif.js") as Factory;
  const wasmBinary = readFileSync(require.resolve("libheif-js/libheif-wasm/libheif.wasm"));
  const heif = create({ wasmBinary });
  const memory = new Memory(heif);
  for (const [at, value] of SECURITY_LIMITS)
    memory.view().setBigUint64(heif._heif_get_global_security_limits!() + at, value, true);
  return heif;
}

/** Numbers with 64 bits in `heif_security_limits`, by their offsets in libheif 1.23. */
const SECURITY_LIMITS: [at: number, value: bigint][] = [
  [8, BigInt(Limits.MAX_HEIF_CODED_PIXELS)],
  [16, BigInt(Limits.MAX_HEIF_TILES)],
  [64, BigInt(Limits.MAX_HEIF_MEMORY_BYTES)],
];

/** Reads and writes libheif's memory, which moves when it grows. */
export class Memory {
  readonly #heif: Libheif;
  /** 64 bytes for the results of a call. */
  readonly #results: number;

  constructor(heif: Libheif) {
    this.#heif = heif;
    this.#results = heif._malloc(64);
  }

  view = (): DataView => new DataView(this.#heif.HEAPU8.buffer);

  uint32 = (at: number): number => this.view().getUint32(at, true);

  /** Of memory that must not be used after the next call. */
  bytes = (at: number, length: number): Uint8Array => this.#heif.HEAPU8.subarray(at, at + length);

  /** @throws image.too_complex if there is no memory left */
  allocate(length: number): number {
    const at = this.#heif._malloc(length);
    if (at === 0 && length > 0) throw outOfMemory();
    return at;
  }

  /** A copy of the bytes in libheif's memory. */
  copyIn(bytes: Uint8Array): number {
    const at = this.allocate(bytes.length);
    this.#heif.HEAPU8.set(bytes, at);
    return at;
  }

  /** Where the pixels of a `heif_image` are, and the bytes from one row to the next. */
  planeOf(image: number, channel: number): { plane: number; rowBytes: number } {
    const plane = this.#heif._heif_image_get_plane_readonly2!(image, channel, this.#results);
    return { plane, rowBytes: this.uint32(this.#results) };
  }

  /**
   * Calls a function that returns a `heif_error` and writes one number of 32 bits where `out` points.
   *
   * @throws HeifError, and image.too_complex
   */
  call(work: (error: number, out: number) => void): number {
    const error = this.#results;
    const out = this.#results + 16;
    try {
      work(error, out);
    } catch (trap) {
      // a mistake of this file; everything else is a damaged file that made WebAssembly stop
      if (trap instanceof TypeError) throw trap;
      throw new HeifError(0, 0, trap instanceof Error ? trap.message : "the decoder stopped");
    }
    const code = this.uint32(error);
    if (code === OK) return this.uint32(out);
    const subcode = this.uint32(error + 4);
    if (code === MEMORY && subcode !== SECURITY_LIMIT) throw outOfMemory();
    throw new HeifError(code, subcode, this.#text(this.uint32(error + 8)).trim());
  }

  #text(at: number): string {
    const { HEAPU8 } = this.#heif;
    return Buffer.from(HEAPU8.subarray(at, HEAPU8.indexOf(0, at))).toString("utf8");
  }
}

/** `heif_error_code` and `heif_suberror_code`. */
const OK = 0;
const MEMORY = 6;
const SECURITY_LIMIT = 1000;

export class HeifError extends Error {
  override name = "HeifError";
  readonly code: number;
  readonly subcode: number;

  constructor(code: number, subcode: number, message: string) {
    super(message);
    this.code = code;
    this.subcode = subcode;
  }
}

const outOfMemory = () =>
  new Refusal(
    "unprocessable",
    "image.too_complex",
    `The HEIF image needs more than ${Limits.MAX_HEIF_MEMORY_BYTES / 2 ** 20} MiB of memory to decode`,
  );
