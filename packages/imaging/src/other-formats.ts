/** Names of formats that are pictures and are not accepted, by their first bytes: a refusal names what was sent. */
const OTHERS: [
  name: string,
  isOne: (bytes: Buffer, ascii: (from: number, to: number) => string) => boolean,
][] = [
  [
    "camera raw (CR2)",
    (bytes, ascii) =>
      ["II*\0", "MM\0*"].includes(ascii(0, 4)) && ascii(8, 10) === "CR" && bytes[10] === 2,
  ],
  ["camera raw (CR3)", (_, ascii) => ascii(4, 12) === "ftypcrx "],
  ["camera raw (ORF)", (_, ascii) => /^(IIR[OS]|MMOR)$/.test(ascii(0, 4))],
  ["camera raw (RW2)", (_, ascii) => ascii(0, 4) === "IIU\0"],
  ["camera raw (RAF)", (_, ascii) => ascii(0, 15) === "FUJIFILMCCD-RAW"],
  ["camera raw (X3F)", (_, ascii) => ascii(0, 4) === "FOVb"],
  ["camera raw (MRW)", (_, ascii) => ascii(0, 4) === "\0MRM"],
  [
    "JPEG XL",
    (bytes, ascii) => (bytes[0] === 0xff && bytes[1] === 0x0a) || ascii(4, 12) === "JXL \r\n\x87\n",
  ],
  [
    "JPEG 2000",
    (_, ascii) => ascii(0, 4) === "\xff\x4f\xff\x51" || /^jP {2}\r\n(\x87\n)?/.test(ascii(4, 12)),
  ],
  ["JPEG XR", (_, ascii) => ascii(0, 3) === "II\xbc"],
  [
    "BMP",
    (bytes, ascii) =>
      ascii(0, 2) === "BM" &&
      bytes.length >= 18 &&
      [12, 40, 52, 56, 64, 108, 124].includes(bytes.readUInt32LE(14)),
  ],
  [
    "ICO",
    (bytes, ascii) =>
      ["\0\0\x01\0", "\0\0\x02\0"].includes(ascii(0, 4)) &&
      bytes.length >= 22 &&
      bytes.readUInt16LE(4) > 0 &&
      bytes[9] === 0,
  ],
  ["Photoshop (PSD)", (_, ascii) => ascii(0, 4) === "8BPS"],
  ["OpenEXR", (_, ascii) => ascii(0, 4) === "v/1\x01"],
  ["Radiance (HDR)", (_, ascii) => /^#\?(RADIANCE|RGBE)/.test(ascii(0, 10))],
  ["PNM", (_, ascii) => /^P[1-7]\s/.test(ascii(0, 3))],
  ["QOI", (_, ascii) => ascii(0, 4) === "qoif"],
  ["animated PNG (MNG)", (_, ascii) => ascii(0, 4) === "\x8aMNG"],
];

/** The name of a picture's format that is not accepted; undefined for accepted formats and for bytes that are no picture. */
export const otherFormat = (bytes: Buffer): string | undefined =>
  OTHERS.find(([, isOne]) => isOne(bytes, (from, to) => bytes.toString("latin1", from, to)))?.[0];
