import { random } from "./bytes.ts";

/** Numbers that parsers handle wrongly: zero and the limits of the usual integer widths. */
const numbers = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Bytes with one to eight random changes; equal bytes and seed give equal results. Parts of `others` are inserted. */
export function mutate(bytes: Buffer, others: Buffer[], seed: number): Buffer {
  const next = random(seed);
  const randomBelow = (most: number) => Math.floor(next() * most);
  let changed = Buffer.from(bytes);
  /** Headers get half of the changes, because parsers decide there. */
  const position = () => randomBelow(next() < 0.5 ? Math.min(changed.length, 256) : changed.length);
  const part = (of: Buffer) => {
    const from = randomBelow(of.length);
    return of.subarray(from, from + 1 + randomBelow(next() < 0.8 ? 64 : of.length));
  };
  const changes = [
    () => (changed[position()]! ^= 1 << randomBelow(8)),
    () => (changed[position()] = randomBelow(256)),
    () => {
      const width = [1, 2, 4][randomBelow(3)]!;
      const at = Math.min(position(), Math.max(0, changed.length - width));
      const value = numbers[randomBelow(numbers.length)]! % 2 ** (8 * width);
      if (next() < 0.5) changed.writeUIntBE(value, at, Math.min(width, changed.length - at));
      else changed.writeUIntLE(value, at, Math.min(width, changed.length - at));
    },
    () => {
      const at = position();
      changed = Buffer.concat([
        changed.subarray(0, at),
        changed.subarray(at + 1 + randomBelow(64)),
      ]);
    },
    () => {
      const at = position();
      const copies = next() < 0.9 ? 1 : randomBelow(200);
      const again = Array.from({ length: copies }, () => part(changed));
      changed = Buffer.concat([changed.subarray(0, at), ...again, changed.subarray(at)]);
    },
    () => {
      const at = position();
      const inserted = part(others[randomBelow(others.length)]!);
      changed = Buffer.concat([
        changed.subarray(0, at),
        inserted,
        changed.subarray(at + randomBelow(2) * inserted.length),
      ]);
    },
    () => (changed = changed.subarray(0, randomBelow(changed.length))),
    () =>
      void changed.fill(randomBelow(256), position(), changed.length - randomBelow(changed.length)),
  ];
  for (let left = 1 + randomBelow(8); left > 0 && changed.length > 8; left--)
    changes[randomBelow(changes.length)]!();
  return changed;
}
