const START_OF_SCAN = 0xda;
const END = 0xd9;
/** Markers without a length: restarts, which occur within a scan, SOI, and TEM, which encoders do not write. */
const isBare = (marker: number) => (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;

/** The number of scans, each of which the decoder processes over the whole image. Markers: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1 */
export function scans(bytes: Buffer): number {
  let count = 0;
  let at = 2;
  while (at + 3 < bytes.length) {
    // within a scan 0xff followed by 0x00 is data
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
