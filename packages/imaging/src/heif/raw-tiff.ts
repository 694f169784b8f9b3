/** Uncompressed pixels in a TIFF, which is how libvips takes pixels together with a colour profile. */
export type RawTiff = {
  file: Buffer<ArrayBuffer>;
  /** The position of the first pixel; rows follow each other. */
  pixelsAt: number;
  /** In pixels. */
  width: number;
  height: number;
  channels: 3 | 4;
  bytesPerSample: 1 | 2;
};

/** TIFF 6.0, little endian. */
const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/** Rows that libvips reads at a time. */
const ROWS_PER_STRIP = 64;

/** A TIFF whose pixels, with values of the given size in little endian, are still to be written. */
export function create(shape: Omit<RawTiff, "file" | "pixelsAt"> & { profile?: Buffer }): RawTiff {
  const { width, height, channels, bytesPerSample, profile } = shape;
  const rowBytes = width * channels * bytesPerSample;
  const strips = Math.ceil(height / ROWS_PER_STRIP);
  const rowsOf = (strip: number) => Math.min(ROWS_PER_STRIP, height - strip * ROWS_PER_STRIP);
  const indexes = Array.from({ length: strips }, (_, index) => index);

  // a directory has 2 bytes, 12 for each entry, and 4; larger values follow it
  const entries = profile ? 12 : 11;
  const bitsAt = 8 + 2 + entries * 12 + 4;
  const offsetsAt = bitsAt + channels * 2;
  const countsAt = offsetsAt + strips * 4;
  const profileAt = countsAt + strips * 4;
  const pixelsAt = profileAt + (profile?.length ?? 0);
  const inline = (at: number, value: number) => (strips === 1 ? value : at);

  // zeros: a damaged file may not have all pixels
  const file = Buffer.alloc(pixelsAt + rowBytes * height);
  file.write("II*\0", 0, "latin1");
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries, 8);
  let at = 10;
  const entry = (tag: number, type: number, count: number, value: number) => {
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
    at += 12;
  };
  entry(256, LONG, 1, width);
  entry(257, LONG, 1, height);
  entry(258, SHORT, channels, bitsAt);
  // no compression, RGB
  entry(259, SHORT, 1, 1);
  entry(262, SHORT, 1, 2);
  entry(273, LONG, strips, inline(offsetsAt, pixelsAt));
  entry(277, SHORT, 1, channels);
  entry(278, LONG, 1, ROWS_PER_STRIP);
  entry(279, LONG, strips, inline(countsAt, rowBytes * height));
  // the channels of a pixel lie together; the fourth is alpha that is not premultiplied
  entry(284, SHORT, 1, 1);
  entry(338, SHORT, channels - 3, channels === 4 ? 2 : 0);
  if (profile) entry(34675, UNDEFINED, profile.length, profileAt);

  for (let channel = 0; channel < channels; channel++)
    file.writeUInt16LE(8 * bytesPerSample, bitsAt + channel * 2);
  for (const strip of indexes) {
    const above = strip * ROWS_PER_STRIP;
    file.writeUInt32LE(pixelsAt + above * rowBytes, offsetsAt + strip * 4);
    file.writeUInt32LE(rowsOf(strip) * rowBytes, countsAt + strip * 4);
  }
  profile?.copy(file, profileAt);
  return { file, pixelsAt, width, height, channels, bytesPerSample };
}
