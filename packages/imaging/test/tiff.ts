type Picture = { width: number; height: number; rgb: [number, number, number] };
export type TiffPage = Picture & {
  /** Tag 254: 1 is a smaller copy, 4 a mask. */
  subfileType?: number;
  /** Tag 262; 2 is RGB. */
  photometric?: number;
  /** Other tags, with one number of 16 bits each. */
  tags?: Record<number, number>;
  /** Pages that are reached through tag 330. */
  inner?: TiffPage[];
};

/** An uncompressed TIFF, or BigTIFF, of pages of one colour each, in either byte order. */
export function tiff(
  pages: TiffPage[],
  { isBig = false, isLittle = true }: { isBig?: boolean; isLittle?: boolean } = {},
): Buffer {
  const offset = isBig ? 8 : 4;
  const number = (value: number, bytes: number) => {
    const written = Buffer.alloc(bytes);
    const low = Math.min(bytes, 4);
    if (isLittle) written.writeUIntLE(value, 0, low);
    else written.writeUIntBE(value, bytes - low, low);
    return written;
  };
  const header = Buffer.concat([
    Buffer.from(isLittle ? "II" : "MM"),
    number(isBig ? 43 : 42, 2),
    ...(isBig ? [number(8, 2), number(0, 2)] : []),
  ]);
  const parts: Buffer[] = [header, Buffer.alloc(offset)];
  let end = header.length + offset;
  const add = (bytes: Buffer) => {
    parts.push(bytes);
    end += bytes.length;
    return end - bytes.length;
  };
  /** The place of the first directory of the list. */
  const write = (list: TiffPage[], at = 0): number => {
    const page = list[at];
    if (!page) return 0;
    const next = write(list, at + 1);
    const { width, height, rgb, inner = [], tags = {} } = page;
    const pixels = add(Buffer.alloc(width * height * 3, Buffer.from(rgb)));
    const bits = add(Buffer.concat([number(8, 2), number(8, 2), number(8, 2)]));
    const places = inner.map((each) => write([each]));
    const list330 =
      places.length > 1
        ? add(Buffer.concat(places.map((each) => number(each, offset))))
        : places[0];
    const entry = (tag: number, type: number, value: number, count = 1) => {
      const size = type === 3 ? 2 : offset;
      const field = Buffer.alloc(offset);
      number(value, count > 1 ? offset : size).copy(field);
      return {
        tag,
        bytes: Buffer.concat([number(tag, 2), number(type, 2), number(count, offset), field]),
      };
    };
    const long = isBig ? 16 : 4;
    const entries = [
      entry(254, long, page.subfileType ?? 0),
      entry(256, 3, width),
      entry(257, 3, height),
      isBig
        ? {
            tag: 258,
            bytes: Buffer.concat([
              number(258, 2),
              number(3, 2),
              number(3, 8),
              ...[8, 8, 8].map((value) => number(value, 2)),
              Buffer.alloc(2),
            ]),
          }
        : entry(258, 3, bits, 3),
      entry(259, 3, 1),
      entry(262, 3, page.photometric ?? 2),
      entry(273, long, pixels),
      entry(277, 3, 3),
      entry(278, 3, height),
      entry(279, long, width * height * 3),
      ...(list330 === undefined ? [] : [entry(330, long, list330, places.length)]),
      ...Object.entries(tags).map(([tag, value]) => entry(Number(tag), 3, value)),
    ].toSorted((a, b) => a.tag - b.tag);
    return add(
      Buffer.concat([
        number(entries.length, isBig ? 8 : 2),
        ...entries.map(({ bytes }) => bytes),
        number(next, offset),
      ]),
    );
  };
  const first = write(pages);
  parts[1] = number(first, offset);
  return Buffer.concat(parts);
}
