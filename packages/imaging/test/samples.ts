import sharp from "sharp";

// Images for tests, generated when needed.

/** Red, green, blue and white quarters, in reading order, so that the corners show the orientation. */
export const quarters = (width: number, height: number) => {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2), channels: 3 as const };
  const quarter = (background: string, left: number, top: number) => ({
    input: { create: { ...half, background } },
    left,
    top,
  });
  return sharp({ create: { width, height, channels: 3, background: "#ff0000" } }).composite([
    quarter("#00ff00", Math.floor(width / 2), 0),
    quarter("#0000ff", 0, Math.floor(height / 2)),
    quarter("#ffffff", Math.floor(width / 2), Math.floor(height / 2)),
  ]);
};

/** Smooth waves of colour with fine texture: compresses like a photograph, the same each time. */
export function photo(width: number, height: number) {
  const data = Buffer.alloc(width * height * 3);
  let seed = 1;
  for (let at = 0; at < data.length; at += 3) {
    const x = (at / 3) % width;
    const y = Math.floor(at / 3 / width);
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    const grain = (seed >> 16) % 24;
    data[at] = 115 + 90 * Math.sin(x / 37) + grain;
    data[at + 1] = 115 + 90 * Math.sin(y / 29 + x / 91) + grain;
    data[at + 2] = 115 + 90 * Math.cos((x + y) / 53) + grain;
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** A blue ellipse with a soft edge on a transparent background. */
export function disc(width: number, height: number) {
  const data = Buffer.alloc(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    const x = ((at % width) + 0.5) / width - 0.5;
    const y = (Math.floor(at / width) + 0.5) / height - 0.5;
    const inside = (0.4 - Math.hypot(x, y)) * Math.min(width, height) + 0.5;
    data.set([0x20, 0x40, 0xc0, 255 * Math.min(1, Math.max(0, inside))], at * 4);
  }
  return sharp(data, { raw: { width, height, channels: 4 } });
}

export const gif = async (width: number, height: number, colours: string[], delay = 70) => {
  const frames = await Promise.all(
    colours.map((background) =>
      sharp({ create: { width, height, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .gif({ delay: colours.map(() => delay), loop: 0 })
    .toBuffer();
};

/** The colours of the four corners, in reading order. */
export async function corners(picture: Buffer): Promise<string[]> {
  const { data, info } = await sharp(picture)
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const colour = (x: number, y: number) => {
    const at = (y * info.width + x) * info.channels;
    const [r = 0, g = 0, b = 0] = data.subarray(at, at + 3);
    return r > 127 ? (g > 127 ? "white" : "red") : g > 127 ? "green" : b > 127 ? "blue" : "black";
  };
  const right = info.width - 2;
  const bottom = info.height - 2;
  return [colour(1, 1), colour(right, 1), colour(1, bottom), colour(right, bottom)];
}

/** Mean absolute difference of two pictures of the same size, in 0..255. */
export async function difference(a: Buffer, b: Buffer): Promise<number> {
  const [one, other] = await Promise.all(
    [a, b].map((bytes) => sharp(bytes).removeAlpha().raw().toBuffer()),
  );
  let sum = 0;
  for (let at = 0; at < one!.length; at++) sum += Math.abs(one![at]! - other![at]!);
  return sum / one!.length;
}
