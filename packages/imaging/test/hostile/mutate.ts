import { random } from "./bytes.ts";

/** Numbers that parsers handle wrongly: zero and the limits of the usual integer widths. */
const numbers = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Bytes with one to eight random changes; equal bytes and seed give equal results. Parts of `others` are inserted. */
export function mutate(bytes: Buffer, others: Buffer[], seed: number): Buffer {
  const next = random(seed);
  const below = (most: number) => Math.floor(next() * most);
  let changed = Buffer.from(bytes);
  /** Headers get half of the changes, because parsers decide there. */
  const place = () => below(next() < 0.5 ? Math.min(changed.length, 256) : changed.length);
  const part = (of: Buffer) => {
    const from = below(of.length);
    return of.subarray(from, from + 1 + below(next() < 0.8 ? 64 : of.length));
  };
  const changes = [
    () => (changed[place()]! ^= 1 << below(8)),
    () => (changed[place()] = below(256)),
    () => {
      const width = [1, 2, 4][below(3)]!;
      const at = Math.min(place(), Math.max(0, changed.length - width));
      const value = numbers[below(numbers.length)]! % 2 ** (8 * width);
      if (next() < 0.5) changed.writeUIntBE(value, at, Math.min(width, changed.length - at));
      else changed.writeUIntLE(value, at, Math.min(width, changed.length - at));
    },
    () => {
      const at = place();
      changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + below(64))]);
    },
    () => {
      const at = place();
      const copies = next() < 0.9 ? 1 : below(200);
      const again = Array.from({ length: copies }, () => part(changed));
      changed = Buffer.concat([changed.subarray(0, at), ...again, changed.subarray(at)]);
    },
    () => {
      const at = place();
      const inserted = part(others[below(others.length)]!);
      changed = Buffer.concat([
        changed.subarray(0, at),
        inserted,
        changed.subarray(at + below(2) * inserted.length),
      ]);
    },
    () => (changed = changed.subarray(0, below(changed.length))),
    () => void changed.fill(below(256), place(), changed.length - below(changed.length)),
  ];
  for (let left = 1 + below(8); left > 0 && changed.length > 8; left--)
    changes[below(changes.length)]!();
  return changed;
}
