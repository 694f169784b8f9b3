import { bomb, png } from "./bytes.ts";
import type { Case } from "./case.ts";

export const svg = (body: string, attributes = 'width="1000" height="1000"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${body}</svg>`;
/** Ingest draws what it accepts at the largest width: a low drawing takes a twentieth of the time. */
const lowSvg = (body: string) => svg(body, 'width="1000" height="50"');
const times = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join("");

/** Minutes of drawing that no check finds, because areas are not weighed, and that nothing interrupts. */
export const endlessSvg = () =>
  svg(
    `<radialGradient id="g"><stop/><stop offset="1" stop-color="red"/></radialGradient>${times(7000, () => '<rect width="2000" height="2000" fill="url(#g)"/>')}`,
    'width="2000" height="2000"',
  );

const sheet = `<rect width="1000" height="1000"/>`;
const filtered = (primitives: string, count = 1) =>
  svg(
    `<filter id="f" x="-1" y="-1" width="3" height="3">${primitives}</filter>${times(count, () => sheet.replace("/>", ' filter="url(#f)"/>'))}`,
  );
/** Each of its kind is drawn of two of the one before. */
const doubling = (name: string, use: string, levels: number) =>
  svg(
    `<defs>${times(levels, (i) => `<${name} id="a${i + 1}" width="1" height="1">${times(2, () => sheet.replace("/>", ` ${use}="url(#a${i})"/>`))}</${name}>`)}</defs>${sheet.replace("/>", ` ${use}="url(#a${levels})"/>`)}`,
  );

/** A PNG of 20,000 × 20,000 pixels in 50 KB, as a URL. */
const hugePng = `data:image/png;base64,${png(20_000, 20_000, { depth: 1, colour: 0 }, bomb(48)).toString("base64")}`;

const tooComplex = "image.too_complex";
const refusesEntities = "image.svg_entities";

const texts: [name: string, text: string, code?: string][] = [
  ["script", lowSvg("<script>for(;;);</script><rect onload='x()' width='9' height='9'/>")],
  ["a link to a file", lowSvg('<a href="file:///etc/passwd"><rect width="9" height="9"/></a>')],
  ["a use of a file", lowSvg('<use href="file:///etc/passwd#a"/>')],
  ["a use of another site", lowSvg('<use href="http://127.0.0.1:1/a.svg#a"/>')],
  [
    "XInclude",
    svg('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'),
    "image.svg_images",
  ],
  ["CSS that imports a file", lowSvg('<style>@import url("file:///etc/passwd");</style>')],
  ["CSS that imports a site", lowSvg('<style>@import url("http://127.0.0.1:1/x.css");</style>')],
  [
    "a font of another site",
    lowSvg(
      "<style>@font-face{font-family:x;src:url(http://127.0.0.1:1/x)}</style><text font-family='x'>A</text>",
    ),
  ],
  ["a style sheet beside it", `<?xml-stylesheet href="file:///etc/passwd"?>${lowSvg("")}`],
  [
    "a picture of a file",
    svg('<image href="file:///etc/passwd" width="9" height="9"/>'),
    "image.svg_images",
  ],
  ["a picture in it", svg('<image xlink:href="data:image/png;base64,AAAA"/>'), "image.svg_images"],
  [
    "a picture in a filter",
    filtered('<feImage href="data:image/svg+xml,%3Csvg/%3E"/>'),
    "image.svg_images",
  ],
  [
    "a picture of 400 megapixels behind a prefix with a hyphen",
    svg(`<a-b:image xmlns:a-b="http://www.w3.org/2000/svg" href="${hugePng}"/>`),
    "image.svg_images",
  ],
  [
    "a picture of 400 megapixels in a filter behind a prefix with an accent",
    svg(
      `<filter id="f"><é:feImage xmlns:é="http://www.w3.org/2000/svg" href="${hugePng}"/></filter>${sheet.replace("/>", ' filter="url(#f)"/>')}`,
    ),
    "image.svg_images",
  ],
  [
    "a document in a use",
    svg(
      `<use href="data:image/svg+xml;base64,${Buffer.from(svg(`<image id="a" href="${hugePng}"/>`)).toString("base64")}#a"/>`,
    ),
    "image.svg_images",
  ],
  [
    "patterns in a circle that multiply",
    svg(
      `<g id="a">${times(1000, () => sheet)}<use href="#b"/></g><g id="b">${times(1000, () => '<use href="#a"/>')}</g>`,
    ),
    tooComplex,
  ],
  [
    "filters behind escaped names",
    svg(
      `<filter id="f">${"<feGaussianBlur stdDeviation='50'/>".repeat(9)}</filter>${times(300, () => sheet.replace("/>", ' style="fi\\6c ter:U\\52 L(#f)"/>'))}`,
    ),
    tooComplex,
  ],
  [
    "HTML in it",
    lowSvg(
      '<foreignObject width="99" height="99"><html xmlns="http://www.w3.org/1999/xhtml"><iframe src="file:///etc/passwd"/></html></foreignObject>',
    ),
  ],
  [
    "an entity of a file",
    `<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>${svg("<text>&a;</text>")}`,
    refusesEntities,
  ],
  [
    "a billion laughs",
    `<!DOCTYPE svg [<!ENTITY a "ha">${times(30, (i) => `<!ENTITY a${i} "${"&a;".repeat(10)}">`)}]>${svg("<text>&a29;</text>")}`,
    refusesEntities,
  ],
  [
    "attributes of its own",
    `<!DOCTYPE svg [<!ATTLIST rect filter CDATA "url(#f)">]>${svg("")}`,
    refusesEntities,
  ],
  ["a document type elsewhere", `<!DOCTYPE svg SYSTEM "file:///etc/passwd">${lowSvg("")}`],
  ["another encoding", `<?xml version="1.0" encoding="UTF-7"?>${svg("")}`, "image.svg_encoding"],
  ["600 comments before it", "<!---->".repeat(600)],
  ["50,000 levels", svg("<g>".repeat(50_000) + "</g>".repeat(50_000)), tooComplex],
  [
    "200 levels of half transparency",
    svg('<g opacity=".5">'.repeat(200) + sheet + "</g>".repeat(200)),
    tooComplex,
  ],
  [
    "uses that multiply",
    svg(
      `<defs><g id="a0">${sheet}</g>${times(20, (i) => `<g id="a${i + 1}">${times(10, () => `<use href="#a${i}"/>`)}</g>`)}</defs><use href="#a20"/>`,
    ),
    tooComplex,
  ],
  ["a use of itself", lowSvg('<g id="a"><use href="#a"/></g>')],
  [
    "20,000 uses in a row",
    svg(times(20_000, (i) => `<use id="a${i}" href="#a${i + 1}"/>`)),
    tooComplex,
  ],
  ["masks that multiply", doubling("mask", "mask", 30), tooComplex],
  ["clips that multiply", doubling("clipPath", "clip-path", 30), tooComplex],
  ["patterns that multiply", doubling("pattern", "fill", 30), tooComplex],
  [
    "a pattern of itself",
    svg(
      `<pattern id="p" width=".1" height=".1">${sheet.replace("/>", ' fill="url(#p)"/>')}</pattern>${sheet.replace("/>", ' fill="url(#p)"/>')}`,
    ),
  ],
  [
    "markers at 100,000 corners",
    svg(
      `<marker id="m" markerWidth="99" markerHeight="99"><g opacity=".5">${sheet}</g></marker><path marker-mid="url(#m)" d="M0 0${"L1 1".repeat(100_000)}"/>`,
    ),
    tooComplex,
  ],
  [
    "markers from a style sheet",
    svg(
      `<style>path{marker-mid:url(#m)}</style><marker id="m" markerWidth="99" markerHeight="99">${sheet}</marker><path d="M0 0${"L1 1".repeat(100_000)}"/>`,
    ),
    tooComplex,
  ],
  [
    "a filter region without end",
    filtered("<feGaussianBlur stdDeviation='500'/>").replace(
      'x="-1" y="-1" width="3" height="3"',
      'filterUnits="userSpaceOnUse" x="-1e6" y="-1e6" width="2e6" height="2e6"',
    ),
  ],
  ["300 filtered shapes", filtered("<feGaussianBlur stdDeviation='50'/>", 300), tooComplex],
  [
    "200 filters on one shape",
    filtered("<feGaussianBlur stdDeviation='50'/>".repeat(200)),
    tooComplex,
  ],
  [
    "filters from a style sheet",
    svg(
      `<style>rect{filter:url(#f)}</style><filter id="f">${"<feGaussianBlur stdDeviation='50'/>".repeat(9)}</filter>${times(300, () => sheet)}`,
    ),
    tooComplex,
  ],
  [
    "50 displacements",
    filtered('<feDisplacementMap in2="SourceGraphic" scale="1000"/>'.repeat(50)),
    tooComplex,
  ],
  ["a morphology of 500", filtered('<feMorphology operator="dilate" radius="500"/>')],
  [
    "turbulence of 10,000 octaves",
    filtered('<feTurbulence numOctaves="10000" baseFrequency="0.01"/>'),
  ],
  [
    "a convolution of 50 × 50",
    filtered(`<feConvolveMatrix order="50" kernelMatrix="${"1 ".repeat(2500)}"/>`),
  ],
  [
    "ten million dashes",
    svg('<path d="M0 0H1e6V1000H0V0" fill="none" stroke="red" stroke-dasharray="0.1 0.1"/>'),
    tooComplex,
  ],
  [
    "dashes from a style sheet",
    svg(
      '<style>path{stroke-dasharray:.1}</style><path d="M0 0H1e6V1000H0V0" fill="none" stroke="red"/>',
    ),
    tooComplex,
  ],
  ["900,000 letters", svg(`<text font-size="20">${"W".repeat(900_000)}</text>`), tooComplex],
  ["50,000 spans", svg(`<text>${"<tspan>W</tspan>".repeat(50_000)}</text>`), tooComplex],
  ["letters of 100,000 pixels", svg(`<text font-size="100000">${"W".repeat(1000)}</text>`)],
  [
    "9,000 rules for 18,000 elements",
    svg(
      `<style>${times(9000, (i) => `.a${i} * * * .b{fill:red}`)}</style>${times(9000, () => '<g class="a1"><rect class="b"/></g>')}`,
    ),
    tooComplex,
  ],
  [
    "10,000 stops",
    svg(
      `<radialGradient id="g">${'<stop offset=".5"/>'.repeat(10_000)}</radialGradient>${sheet.replace("/>", ' fill="url(#g)"/>')}`,
    ),
  ],
  ["8,000 shapes one over the other", svg(times(8_000, () => sheet))],
  ["a view box without end", svg("", 'viewBox="0 0 1000000 1000000"'), "image.side_too_long"],
  [
    "a view box of next to nothing",
    svg(sheet, 'width="99" height="99" viewBox="0 0 1e-300 1e-300"'),
  ],
  ["a size beyond numbers", svg("", 'width="1e30mm" height="1e30mm"')],
  ["a negative size", svg("", 'width="-5" height="9"')],
  ["no size", svg("", "")],
  ["a canvas of 900 megapixels", svg("", 'width="30000" height="30000"'), "image.too_many_pixels"],
  ["a canvas of 1 × 60,000", svg("", 'width="1" height="60000"'), "image.side_too_long"],
];

export const svgs = (): Case[] =>
  texts.map(([name, text, code]) => [`SVG with ${name}`, Buffer.from(text), code]);
