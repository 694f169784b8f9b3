import { SaxesParser, type SaxesTagNS } from "saxes";

import * as Limits from "./limits.ts";
import { Refusal } from "./refusal.ts";
import * as SvgCss from "./svg-css.ts";

// What an SVG contains, read by an XML parser with namespaces, because librsvg reads it by one: a prefix of any spelling can
// stand for SVG's namespace. Both parsers refuse text that is not well-formed and prefixes that are not declared. Where they
// could read the same text differently (encodings, XML 1.1, declarations in a document type) it is refused here.

export type Element = {
  /** The local name; empty for an element of another namespace, which is not drawn. */
  name: string;
  /** By local name; only attributes without a prefix are SVG's own. */
  attributes: Record<string, string>;
  /** The ids of elements that `href` refers to. */
  hrefs: string[];
  /** Properties from the `style` attribute and from attributes that can refer to elements. */
  declarations: SvgCss.Declaration[];
  children: Element[];
  /** Characters of its own text. */
  letters: number;
};

export type Document = {
  root: Element;
  elements: Element[];
  /** Of all `style` elements together. */
  sheet: SvgCss.Sheet;
};

const SVG = "http://www.w3.org/2000/svg";
const XLINK = "http://www.w3.org/1999/xlink";

/** Elements that embed other images or documents. `include` is XInclude's, which librsvg follows. */
const EMBEDDING = new Set(["image", "feImage", "include"]);

/** A document type without declarations of its own, and nothing that two parsers could end at different places. */
const PLAIN_DOCTYPE =
  /^\s*[\w:.-]+(?:\s+(?:PUBLIC\s+(?:"[^"]*"|'[^']*')|SYSTEM)\s+(?:"[^"]*"|'[^']*'))?\s*(?:\[\s*\]\s*)?$/;

/**
 * The elements of an SVG.
 *
 * @throws image.damaged, image.truncated, image.too_complex, image.svg_encoding, image.svg_entities, image.svg_images
 */
export function parse(text: string): Document {
  const root = create("");
  const elements: Element[] = [];
  const open = [root];
  let css = "";
  let isWhole = false;
  // XML 1.1 has other white space; librsvg refuses it
  const parser = new SaxesParser({
    xmlns: true,
    position: false,
    forceXMLVersion: true,
    defaultXMLVersion: "1.0",
  });
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
      throw new Refusal("unsupported", "image.svg_encoding", "The SVG is not encoded in UTF-8");
  });
  parser.on("doctype", (doctype) => {
    if (!PLAIN_DOCTYPE.test(doctype)) throw hasDeclarations();
  });
  parser.on("processinginstruction", ({ target, body }) => {
    // librsvg loads a style sheet of a `data:` URL, which character references may hide
    if (target === "xml-stylesheet" && (body.includes("&") || SvgCss.hasDataUrl(body)))
      throw embeds("a style sheet as a data: URL");
  });
  parser.on("opentag", (tag) => {
    if (open.length > Limits.MAX_SVG_DEPTH)
      throw tooComplex(
        `is nested more than ${Limits.MAX_SVG_DEPTH} elements deep; at most ${Limits.MAX_SVG_DEPTH} levels are accepted`,
      );
    const element = read(tag);
    elements.push(element);
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  const onText = (piece: string) => {
    const element = open.at(-1)!;
    element.letters += piece.length;
    if (element.name === "style") css += piece;
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("error", ({ message }) => {
    throw new Refusal(
      "unprocessable",
      isWhole ? "image.truncated" : "image.damaged",
      `The SVG is not well-formed (${message})`,
    );
  });
  parser.write(text);
  isWhole = true;
  parser.close();
  const sheet = SvgCss.readSheet(css);
  refuseDataUrls(sheet.urls);
  return { root, elements, sheet };
}

function read({ local, uri, attributes }: SaxesTagNS): Element {
  if (EMBEDDING.has(local)) throw embeds("other images or documents");
  // an element without a namespace is drawn like SVG's
  const element = create(uri === SVG || uri === "" ? local : "");
  for (const { local: name, uri: space, value } of Object.values(attributes)) {
    if (space === "") element.attributes[name] = value;
    if (name === "href" && (space === "" || space === XLINK)) {
      // a link is not followed
      if (local !== "a") refuseDataUrls([value]);
      if (value.startsWith("#")) element.hrefs.push(value.slice(1));
    }
    if (space === "") element.declarations.push(...SvgCss.readAttribute(name, value));
  }
  for (const { urls } of element.declarations) refuseDataUrls(urls);
  return element;
}

const create = (name: string): Element => ({
  name,
  attributes: {},
  hrefs: [],
  declarations: [],
  children: [],
  letters: 0,
});

function refuseDataUrls(urls: readonly string[]) {
  if (urls.some(SvgCss.hasDataUrl)) throw embeds("a document as a data: URL");
}

const embeds = (what: string) =>
  new Refusal(
    "unsupported",
    "image.svg_images",
    `The SVG embeds ${what}; only shapes and text are accepted`,
  );

const hasDeclarations = () =>
  new Refusal(
    "unsupported",
    "image.svg_entities",
    "The SVG's document type declares entities or attributes; write their values out",
  );

const tooComplex = (what: string) =>
  new Refusal("unprocessable", "image.too_complex", `The SVG ${what}`);
