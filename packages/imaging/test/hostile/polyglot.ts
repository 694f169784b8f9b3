import { ascii, before, pngChunk } from "./bytes.ts";
import type { Case } from "./case.ts";

const notAPicture = "image.not_a_picture";
const otherFormat = "image.unsupported";
const html = ascii(
  "<html><script>alert(1)</script><svg xmlns='http://www.w3.org/2000/svg'></svg></html>",
);
/** An archive with one empty file. */
const zip = Buffer.concat([
  Buffer.from("504b03040a0000000000000000000000000000000000000000000100000061", "hex"),
  Buffer.from("504b01021400", "hex"),
  Buffer.alloc(40),
  Buffer.from("504b0506000000000100010030000000210000000000", "hex"),
]);

/** Files of two formats at once, and files that are no image. */
export function polyglots(valid: Record<string, Buffer>): Case[] {
  const { jpeg, png, gif, webp, avif, tiff } = valid as Record<string, Buffer>;
  return [
    ["an empty file", Buffer.alloc(0), "image.empty"],
    ["one byte", Buffer.of(0xff), notAPicture],
    ["4 KiB of zeros", Buffer.alloc(4096), notAPicture],
    ["a JPEG with an archive after it", Buffer.concat([jpeg!, zip])],
    ["an archive with a JPEG after it", Buffer.concat([zip, jpeg!]), notAPicture],
    [
      "a PDF with a JPEG in it",
      Buffer.concat([ascii("%PDF-1.7\n1 0 obj\nstream\n"), jpeg!]),
      notAPicture,
    ],
    [
      "a JPEG with a PDF in its comment",
      Buffer.concat([jpeg!.subarray(0, 2), ascii("\xff\xfe\0\x0b%PDF-1.7\n"), jpeg!.subarray(2)]),
    ],
    [
      "a PNG with HTML in its text",
      before(png!, "IDAT", pngChunk("tEXt", Buffer.concat([ascii("a\0"), html]))),
    ],
    ["a PNG with HTML after it", Buffer.concat([png!, html])],
    ["HTML with a PNG after it", Buffer.concat([html, png!]), notAPicture],
    [
      "a GIF that is a script",
      Buffer.concat([ascii("GIF89a/*"), gif!.subarray(8), ascii("*/=1;alert(1)//")]),
    ],
    ["a GIF with a script after it", Buffer.concat([gif!, ascii("/*alert(1)*/")])],
    ["a WebP with an archive after it", Buffer.concat([webp!, zip])],
    [
      "an AVIF with the brand of a video",
      Buffer.concat([avif!.subarray(0, 8), ascii("mp42"), avif!.subarray(12)]),
    ],
    [
      "a video",
      Buffer.concat([
        Buffer.from("0000001c", "hex"),
        ascii("ftypisom\0\0\x02\0isomiso2mp41"),
        Buffer.alloc(999),
      ]),
      notAPicture,
    ],
    ["a TIFF with an archive after it", Buffer.concat([tiff!, zip])],
    ["an icon", Buffer.from("00000100010010100000010020006804000016000000", "hex"), otherFormat],
    ["a bitmap", Buffer.concat([ascii("BM"), Buffer.alloc(200)]), notAPicture],
    ["a program", ascii("\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"), notAPicture],
    ["PostScript", ascii("%!PS-Adobe-3.0 EPSF-3.0\n"), notAPicture],
    [
      "a vector graphic of ImageMagick",
      ascii("push graphic-context\nfill 'url(https://127.0.0.1/\"|ls \"-la)'\npop graphic-context"),
      notAPicture,
    ],
    [
      "a picture in libvips' own format",
      Buffer.concat([Buffer.from("08f2a6b6", "hex"), Buffer.alloc(200)]),
      notAPicture,
    ],
    ["a table of numbers", ascii("1,2,3\n4,5,6\n"), notAPicture],
    ["a picture in a text format", ascii("P3 2 2 255\n1 2 3 4 5 6 7 8 9 1 2 3\n"), otherFormat],
    [
      "the first bytes of a JPEG and then text",
      Buffer.concat([jpeg!.subarray(0, 3), ascii("hello ".repeat(99))]),
    ],
  ];
}
