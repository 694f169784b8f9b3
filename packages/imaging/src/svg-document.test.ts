import { expect, test } from "vitest";

import { svg } from "../test/hostile/svg.ts";
import { Refusal } from "./refusal.ts";
import { check } from "./svg.ts";

// What librsvg follows was tried with librsvg 2.63: every document here that is refused for a `data:` URL or a name was drawn.

async function codeOf(bytes: Buffer | string): Promise<string | undefined> {
  try {
    await check(Buffer.from(bytes));
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const SVG = "http://www.w3.org/2000/svg";
const document = "data:image/svg+xml;base64,AAAA";
const sheet = "data:text/css,rect{}";

test.each([
  ["an image behind a prefix with a hyphen", `<a-b:image xmlns:a-b="${SVG}" href="${document}"/>`],
  ["an image in a filter behind a prefix with an accent", `<é:feImage xmlns:é="${SVG}"/>`],
  ["a document in a use", `<use href="${document}#a"/>`],
  ["a document in an old use", `<use xlink:href="${document}#a"/>`],
  [
    "an href with a prefix of its own",
    `<use xmlns:b="http://www.w3.org/1999/xlink" b:href="${document}#a"/>`,
  ],
  ["a URL with white space", `<use href=" da&#10;ta:image/svg+xml,a#a"/>`],
  ["a URL in capitals", `<use href="DATA:image/svg+xml,a#a"/>`],
  ["a fill of another document", `<rect fill="url(${document}#a)"/>`],
  ["a filter of another document", `<rect style="filter:URL('${document}#a')"/>`],
  ["an escaped property", `<rect style="fi\\6cter:u\\72l(${document}#a)"/>`],
  ["an escaped function", `<rect fill="u\\72l(${document}#a)"/>`],
  ["a fill in a style sheet", `<style>rect{fill:url("${document}#a")}</style>`],
  ["a fill in CDATA", `<style><![CDATA[rect{fill:url(${document}#a)}]]></style>`],
  ["a fill in two pieces of text", `<style>rect{fill:u<!-- -->rl(${document}#a)}</style>`],
  ["a fill behind a font without a block", `<rect style="@font-face;fill:url(${document}#a)"/>`],
  [
    "a fill behind the name of a font in a string",
    `<style>rect{--a:"@font-face{";fill:url(${document}#a)}</style>`,
  ],
  ["an import of CSS", `<style>@import url("${sheet}");</style>`],
  ["an import of CSS as a string", `<style>@import "${sheet}";</style>`],
  ["an included document", `<a:include xmlns:a="http://www.w3.org/2001/XInclude"/>`],
  ["a style sheet beside it", `<?xml-stylesheet href="${sheet}"?>`],
  ["a style sheet of references", '<?xml-stylesheet href="&#100;ata:text/css,rect{}"?>'],
])("refuses %s", async (_, body) => expect(await codeOf(svg(body))).toBe("image.svg_images"));

test.each([
  ["an image of another namespace's name", `<a:picture xmlns:a="urn:a"/>`],
  ["a link to data", `<a href="${document}"><rect/></a>`],
  ["a font in a style sheet", `<style>@font-face{src:url(data:font/woff2;base64,AA)}</style>`],
  ["text about images", "<text>&lt;image&gt; and <![CDATA[<image/>]]></text>"],
  ["a comment about images", "<!-- <image/> <!DOCTYPE a [<!ENTITY>] -->"],
  ["a script", "<script><![CDATA[for(;;);]]></script>"],
])("accepts %s", async (_, body) => expect(await codeOf(svg(body))).toBeUndefined());

test.each([
  ["an entity", "<!DOCTYPE svg [<!ENTITY a 'b'>]>", "image.svg_entities"],
  ["a parameter entity", "<!DOCTYPE svg [<!ENTITY % a 'b'> %a;]>", "image.svg_entities"],
  ["a default attribute", "<!DOCTYPE svg [<!ATTLIST rect a CDATA 'b'>]>", "image.svg_entities"],
  ["a comment in its document type", "<!DOCTYPE svg [<!-- ' -->]>", "image.svg_entities"],
  [
    "an encoding behind 300 spaces",
    `<?xml version="1.0" ${" ".repeat(300)}encoding="UTF-7"?>`,
    "image.svg_encoding",
  ],
  ["Latin-1", '<?xml version="1.0" encoding="ISO-8859-1"?>', "image.svg_encoding"],
])("refuses %s before the root", async (_, before, code) =>
  expect(await codeOf(before + svg(""))).toBe(code),
);

test("an empty subset of a document type is accepted", async () => {
  expect(await codeOf(`<!DOCTYPE svg PUBLIC "a" 'b' [ ]>${svg("")}`)).toBeUndefined();
  expect(await codeOf(`\uFEFF<?xml version="1.0" encoding="utf-8"?>${svg("")}`)).toBeUndefined();
});

test.each([
  [
    "bytes that are not UTF-8",
    Buffer.concat([Buffer.from(svg("")), Buffer.of(0xff)]),
    "image.svg_encoding",
  ],
  ["UTF-16", Buffer.from(`\uFEFF${svg("")}`, "utf16le"), "image.svg_encoding"],
  ["a prefix that is not declared", svg("<a:rect/>"), "image.damaged"],
  ["an attribute twice", svg('<rect fill="red" fill="blue"/>'), "image.damaged"],
  ["an entity that is not declared", svg("<text>&nbsp;</text>"), "image.damaged"],
  ["an end within an element", svg("").slice(0, -3), "image.truncated"],
  ["an end within a character", Buffer.from(svg("é")).subarray(0, -7), "image.truncated"],
])("refuses %s", async (_, bytes, code) => expect(await codeOf(bytes)).toBe(code));
