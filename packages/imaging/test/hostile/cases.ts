import sharp from "sharp";

import { photo } from "../samples.ts";
import { avifs } from "./avif.ts";
import { heifSample } from "../heif-samples.ts";
import { gifs } from "./gif.ts";
import { heics } from "./heic.ts";
import { jpegs } from "./jpeg.ts";
import { pngs } from "./png.ts";
import { polyglots } from "./polyglot.ts";
import { svgs } from "./svg.ts";
import { tiffs } from "./tiff.ts";
import { webps } from "./webp.ts";
import type { Case } from "./case.ts";

/** One valid image of each kind, 64 × 48: the tests change them, cut them off and disguise them. */
export async function validImages(): Promise<Record<string, Buffer>> {
  const still = photo(64, 48);
  const frames = await Promise.all(
    ["#f00", "#0f0", "#00f"].map((background) =>
      sharp({ create: { width: 64, height: 48, channels: 4, background } })
        .png()
        .toBuffer(),
    ),
  );
  const animation = () => sharp(frames, { join: { animated: true } });
  const withMetadata = (format: "jpeg" | "png" | "webp") =>
    still.clone().withMetadata({ orientation: 6 }).withIccProfile("p3").toFormat(format).toBuffer();
  return {
    jpeg: await withMetadata("jpeg"),
    progressive: await still.clone().jpeg({ progressive: true }).toBuffer(),
    png: await withMetadata("png"),
    palette: await still.clone().png({ palette: true }).toBuffer(),
    interlaced: await still.clone().png({ progressive: true }).toBuffer(),
    webp: await withMetadata("webp"),
    lossless: await still.clone().webp({ lossless: true }).toBuffer(),
    "animated webp": await animation().webp().toBuffer(),
    gif: await still.clone().gif().toBuffer(),
    "animated gif": await animation().gif().toBuffer(),
    avif: await still.clone().avif({ effort: 0 }).toBuffer(),
    heic: heifSample("p3-nclx.heic"),
    "heic in tiles": heifSample("grid-rotated.heic"),
    tiff: await still.clone().tiff({ compression: "lzw" }).toBuffer(),
    "tiled tiff": await still.clone().tiff({ compression: "jpeg", tile: true }).toBuffer(),
    svg: Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><defs><linearGradient id="g"><stop offset="0" stop-color="red"/><stop offset="1"/></linearGradient></defs><rect width="60" height="40" fill="url(#g)"/><path d="M1 1L20 30Z" stroke="#00f"/><style>.soft{filter:url(#f);stroke-dasharray:2 1}</style><filter id="f"><feOffset dy="2"/><feGaussianBlur stdDeviation="1"/><feBlend in="SourceGraphic"/></filter><mask id="m"><circle r="9" fill="#fff"/></mask><use href="#p" mask="url(#m)"/><path id="p" class="soft" d="M9 9c3 3 6 6 9 0z"/><text x="9" y="20">Balde &amp; <tspan>more</tspan></text></svg>',
    ),
  };
}

export const hostileCases = (valid: Record<string, Buffer>): Case[] => [
  ...pngs(valid["png"]!),
  ...jpegs(valid["jpeg"]!, valid["progressive"]!),
  ...gifs(),
  ...webps(valid["lossless"]!),
  ...tiffs(),
  ...avifs(valid["avif"]!),
  ...heics(valid["heic"]!),
  ...svgs(),
  ...polyglots(valid),
];
