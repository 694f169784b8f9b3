import { random } from "./bytes.ts";

/** Numbers that parsers get wrong: nothing, one less than nothing, the ends of what fits. */
const numbers = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Some bytes, bent in one to eight ways; the same seed and bytes give the same result. `others` lend their parts. */
export function mutate(bytes: Buffer, others: Buffer[], seed: number): Buffer {
  const next = random(seed);
  const below = (most: number) => Math.floor(next() * most);
  let bent = Buffer.from(bytes);
  /** Headers are where decisions are made. */
  const place = () => below(next() < 0.5 ? Math.min(bent.length, 256) : bent.length);
  const part = (of: Buffer) => {
    const from = below(of.length);
    return of.subarray(from, from + 1 + below(next() < 0.8 ? 64 : of.length));
  };
  const ways = [
    () => (bent[place()]! ^= 1 << below(8)),
    () => (bent[place()] = below(256)),
    () => {
      const width = [1, 2, 4][below(3)]!;
      const at = Math.min(place(), Math.max(0, bent.length - width));
      const value = numbers[below(numbers.length)]! % 2 ** (8 * width);
      if (next() < 0.5) bent.writeUIntBE(value, at, Math.min(width, bent.length - at));
      else bent.writeUIntLE(value, at, Math.min(width, bent.length - at));
    },
    () => {
      const at = place();
      bent = Buffer.concat([bent.subarray(0, at), bent.subarray(at + 1 + below(64))]);
    },
    () => {
      const at = place();
      const copies = next() < 0.9 ? 1 : below(200);
      const again = Array.from({ length: copies }, () => part(bent));
      bent = Buffer.concat([bent.subarray(0, at), ...again, bent.subarray(at)]);
    },
    () => {
      const at = place();
      const lent = part(others[below(others.length)]!);
      bent = Buffer.concat([
        bent.subarray(0, at),
        lent,
        bent.subarray(at + below(2) * lent.length),
      ]);
    },
    () => (bent = bent.subarray(0, below(bent.length))),
    () => void bent.fill(below(256), place(), bent.length - below(bent.length)),
  ];
  for (let left = 1 + below(8); left > 0 && bent.length > 8; left--) ways[below(ways.length)]!();
  return bent;
}
