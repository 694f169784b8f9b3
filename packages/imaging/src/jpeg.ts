const START_OF_SCAN = 0xda;
const END = 0xd9;
/** Markers without a length: restarts, which are inside a scan, and one that no encoder writes. */
const isBare = (marker: number) => (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;

/** The number of scans, which is how often the decoder goes through all pixels. Markers: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1 */
export function scans(bytes: Buffer): number {
  let count = 0;
  let at = 2;
  while (at + 3 < bytes.length) {
    // inside a scan the byte 0xff followed by 0x00 is data
    at = bytes.indexOf(0xff, at);
    const marker = bytes[at + 1];
    if (at < 0 || marker === undefined || marker === END) break;
    if (marker === 0xff) at += 1;
    else if (marker === 0 || isBare(marker)) at += 2;
    else {
      if (marker === START_OF_SCAN) count += 1;
      if (at + 3 >= bytes.length) break;
      at += 2 + bytes.readUInt16BE(at + 2);
    }
  }
  return count;
}
