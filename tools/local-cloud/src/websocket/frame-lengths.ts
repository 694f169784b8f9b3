import type { Duplex } from "node:stream";

/**
 * Calls `onFrame` with the length of each frame that a client sends, before `ws` reads it: `ws` limits whole messages only.
 * https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function watchFrameLengths(stream: Duplex, onFrame: (bytes: number) => void): void {
  let head: Buffer = Buffer.alloc(0);
  let skip = 0;
  stream.prependListener("data", (chunk: Buffer) => {
    let rest: Buffer = head.length > 0 ? Buffer.concat([head, chunk]) : chunk;
    for (;;) {
      const skipped = Math.min(skip, rest.length);
      rest = rest.subarray(skipped);
      skip -= skipped;
      const frame = skip === 0 ? read(rest) : undefined;
      if (!frame) break;
      onFrame(frame.payload);
      skip = frame.header + frame.payload;
    }
    head = skip === 0 ? Buffer.from(rest) : Buffer.alloc(0);
  });
}

function read(bytes: Buffer): { header: number; payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + extended) return undefined;
  const payload =
    extended === 0
      ? short
      : extended === 2
        ? bytes.readUInt16BE(2)
        : Number(bytes.readBigUInt64BE(2));
  const mask = bytes[1]! & 0x80 ? 4 : 0;
  return { header: 2 + extended + mask, payload };
}
