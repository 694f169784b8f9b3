import type { Step } from "./step.ts";

/** Encodes the format. Only metadata that the step before wrote is kept, so no location or name is in the picture. `tune` of AVIF keeps its default: `ssim` needs a tenth more bytes for the same look. */
export const encode: Step = (picture, { encoding }, { timing }) => {
  switch (encoding.format) {
    case "avif":
      // without loss in sharp's own terms: the colours are not converted to brightness and chroma either
      if (encoding.quality === "lossless")
        return picture.avif({ lossless: true, effort: encoding.effort });
      return picture.avif({
        quality: encoding.quality,
        effort: encoding.effort,
        chromaSubsampling: "4:2:0",
      });
    case "webp":
      if (encoding.quality === "lossless")
        return picture.webp({ lossless: true, effort: encoding.effort, ...timing });
      return picture.webp({ quality: encoding.quality, effort: encoding.effort, ...timing });
    case "jpeg":
      return picture.jpeg({ quality: encoding.quality, optimiseCoding: !encoding.byRows });
    case "png":
      return encoding.colours === "all"
        ? picture.png({ compressionLevel: 6 })
        : picture.png({ palette: true, colours: encoding.colours, effort: 3 });
    case "gif":
      return picture.gif({ effort: 1, ...timing });
  }
};
