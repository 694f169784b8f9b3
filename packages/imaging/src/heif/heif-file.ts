import * as ImageBytes from "../image-bytes.ts";
import * as Limits from "../limits.ts";
import { Refusal } from "../refusal.ts";
import { HeifError, type Libheif, Memory, load } from "./libheif.ts";

/** An opened HEIF: its primary image, or the first image of its sequence if it has no other. */
export type HeifFile = {
  heif: Libheif;
  memory: Memory;
  /** A `heif_context`. */
  context: number;
  /** The four letters of the codec, such as `hvc1`, or of an image that is composed in another way than as a grid. */
  codec: string;
  /** In pixels, after `irot`, `imir` and `clap`. EXIF's orientation does not count: ISO/IEC 23008-12, annex A. */
  width: number;
  height: number;
  /** Of the coded pixels, of which `clap` may show a part. */
  codedPixels: number;
  hasAlpha: boolean;
  bitDepth: number;
  icc?: Buffer;
  /** Without `icc`: the numbers of ITU-T H.273. */
  cicp?: { primaries: number; transfer: number };
  exif?: Buffer;
  xmp?: Buffer;
  /** A `heif_image_handle`; undefined of a file that has only a sequence. */
  handle?: number;
  /** A `heif_track`. */
  track?: number;
};

/**
 * Calls `work` with the opened file. Each file has a decoder of its own, whose memory is freed as a whole and cannot have been
 * damaged by another file.
 *
 * @throws image.damaged, image.truncated, image.too_complex, image.too_many_bytes, image.heif_codec, or what `work` throws
 */
export async function withFile<T>(
  image: ImageBytes.ImageBytes,
  work: (file: HeifFile) => T,
): Promise<T> {
  const size = await ImageBytes.sizeOf(image);
  if (size > Limits.MAX_HEIF_BYTES) throw tooManyBytes(size);
  const bytes = await ImageBytes.readAll(image);
  const heif = load();
  const memory = new Memory(heif);
  try {
    return work(open(heif, memory, bytes));
  } catch (error) {
    throw error instanceof HeifError ? refusalOf(error) : error;
  }
}

function open(heif: Libheif, memory: Memory, bytes: Buffer): HeifFile {
  const context = heif._heif_context_alloc!();
  const at = memory.copyIn(bytes);
  memory.call((error) =>
    heif._heif_context_read_from_memory_without_copy!(error, context, at, bytes.length, 0),
  );
  const handle = primaryImage(heif, memory, context);
  if (handle === undefined) return openSequence(heif, memory, context);
  const profile = colourProfile(heif, memory, handle);
  const exif = metadataBlock(heif, memory, handle, "Exif");
  const xmp = metadataBlock(heif, memory, handle, "mime");
  return {
    heif,
    memory,
    context,
    handle,
    codec: codecOf(heif, memory, context, handle),
    width: heif._heif_image_handle_get_width!(handle),
    height: heif._heif_image_handle_get_height!(handle),
    codedPixels:
      heif._heif_image_handle_get_ispe_width!(handle) *
      heif._heif_image_handle_get_ispe_height!(handle),
    hasAlpha: heif._heif_image_handle_has_alpha_channel!(handle) === 1,
    bitDepth: heif._heif_image_handle_get_luma_bits_per_pixel!(handle),
    ...profile,
    // begins with the position of the TIFF header
    ...(exif && exif.length > 4 && { exif: exif.subarray(4 + exif.readUInt32BE(0)) }),
    ...(xmp && { xmp }),
  };
}

function primaryImage(heif: Libheif, memory: Memory, context: number): number | undefined {
  try {
    return memory.call((error, out) =>
      heif._heif_context_get_primary_image_handle!(error, context, out),
    );
  } catch (error) {
    if (error instanceof HeifError && heif._heif_context_has_sequence!(context) === 1)
      return undefined;
    throw error;
  }
}

function openSequence(heif: Libheif, memory: Memory, context: number): HeifFile {
  // 0 is the first track with images
  const track = heif._heif_context_get_track!(context, 0);
  if (track === 0) throw new HeifError(INVALID, 0, "The sequence has no track with images");
  const size = memory.call((error, out) =>
    heif._heif_track_get_image_resolution!(error, track, out, out + 2),
  );
  return {
    heif,
    memory,
    context,
    track,
    codec: fourLetters(heif._heif_track_get_sample_entry_type_of_first_cluster!(track)),
    width: size & 0xffff,
    height: size >>> 16,
    codedPixels: 0,
    hasAlpha: false,
    bitDepth: 8,
  };
}

/** The codec of the image, or of a grid's tiles. */
function codecOf(heif: Libheif, memory: Memory, context: number, handle: number): string {
  const item = heif._heif_image_handle_get_item_id!(handle);
  const type = fourLetters(heif._heif_item_get_item_type!(context, item));
  if (type !== "grid") return type;
  const tile = memory.call((error, out) =>
    heif._heif_image_handle_get_grid_image_tile_id!(error, handle, 0, 0, 0, out),
  );
  return fourLetters(heif._heif_item_get_item_type!(context, tile));
}

function colourProfile(
  heif: Libheif,
  memory: Memory,
  handle: number,
): Pick<HeifFile, "icc" | "cicp"> {
  const length = heif._heif_image_handle_get_raw_color_profile_size!(handle);
  if (length > Limits.MAX_PROFILE_BYTES)
    throw new Refusal(
      "unprocessable",
      "image.profile_too_large",
      `The colour profile has ${length} bytes; at most ${Limits.MAX_PROFILE_BYTES} are accepted`,
    );
  if (length > 0) {
    const at = memory.allocate(length);
    memory.call((error) => heif._heif_image_handle_get_raw_color_profile!(error, handle, at));
    return { icc: Buffer.from(memory.bytes(at, length)) };
  }
  try {
    const nclx = memory.call((error, out) =>
      heif._heif_image_handle_get_nclx_color_profile!(error, handle, out),
    );
    return { cicp: { primaries: memory.uint32(nclx + 4), transfer: memory.uint32(nclx + 8) } };
  } catch (error) {
    if (error instanceof HeifError) return {};
    throw error;
  }
}

/** The first block of this type that is not too large; `mime` is XMP. */
function metadataBlock(
  heif: Libheif,
  memory: Memory,
  handle: number,
  type: "Exif" | "mime",
): Buffer | undefined {
  const filter = memory.copyIn(Buffer.from(`${type}\0`));
  const ids = memory.allocate(4);
  const count = heif._heif_image_handle_get_list_of_metadata_block_IDs!(handle, filter, ids, 1);
  if (count === 0) return undefined;
  const id = memory.uint32(ids);
  const length = heif._heif_image_handle_get_metadata_size!(handle, id);
  if (length === 0 || length > Limits.MAX_HEIF_METADATA_BYTES) return undefined;
  const at = memory.allocate(length);
  try {
    memory.call((error) => heif._heif_image_handle_get_metadata!(error, handle, id, at));
    return Buffer.from(memory.bytes(at, length));
  } catch (error) {
    // the picture can be shown without it
    if (error instanceof HeifError) return undefined;
    throw error;
  }
}

const tooManyBytes = (size: number) =>
  new Refusal(
    "too_large",
    "image.too_many_bytes",
    `The HEIF image has ${size} bytes; at most ${Limits.MAX_HEIF_BYTES} are accepted of this format`,
  );

const fourLetters = (code: number) =>
  Buffer.from([code >>> 24, code >>> 16, code >>> 8, code]).toString("latin1");

/** `heif_error_code` and `heif_suberror_code`. */
const INVALID = 2;
const NO_DECODER = [11, 4] as const;
const END_OF_DATA = 100;
const SECURITY_LIMIT = 1000;

function refusalOf(error: HeifError): Refusal {
  const { code, subcode, message } = error;
  const cause = { cause: error };
  if (subcode === SECURITY_LIMIT)
    return new Refusal(
      "unprocessable",
      "image.too_complex",
      `The HEIF image is beyond the decoder's limits (${message})`,
      cause,
    );
  if (subcode === END_OF_DATA || /end of (data|file)|cannot read full/i.test(message))
    return new Refusal(
      "unprocessable",
      "image.truncated",
      `The image ends before it is complete (${message})`,
      cause,
    );
  if (NO_DECODER.some((each) => each === code))
    return new Refusal(
      "unsupported",
      "image.heif_codec",
      `The HEIF image cannot be decoded here: ${message}`,
      cause,
    );
  return new Refusal(
    "unprocessable",
    "image.damaged",
    `The image cannot be decoded (${message})`,
    cause,
  );
}
