import { type Credit, clean } from "./credit-text.ts";
import { DC, RDF } from "./xmp-packet.ts";

const TIFF = "http://ns.adobe.com/tiff/1.0/";

/** Properties with a credit (XMP specification, part 1, section 8.3, and part 2, section 3.3). */
const properties: Record<string, keyof Credit> = {
  [`${DC}creator`]: "artist",
  [`${DC}rights`]: "copyright",
  [`${TIFF}Artist`]: "artist",
  [`${TIFF}Copyright`]: "copyright",
};

/** A longer packet has a history of edits, or another picture in it. */
const MAX_XMP_BYTES = 2 ** 20;

/** The two texts of an XMP packet: its authors, and its rights in the default language. Invalid data is ignored. */
export async function read(xmp: Buffer | undefined): Promise<Credit> {
  if (!xmp || xmp.length > MAX_XMP_BYTES) return {};
  const { SaxesParser } = await import("./xml-parser.ts");
  const found: Partial<Record<keyof Credit, string[]>> = {};
  const add = (name: keyof Credit, text: string, isDefault = false) => {
    const line = clean(text);
    if (!line) return;
    const texts = (found[name] ??= []);
    if (isDefault) texts.unshift(line);
    else texts.push(line);
  };
  let property: keyof Credit | undefined;
  let isDefault = false;
  let text = "";
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on("opentag", ({ uri, local, attributes }) => {
    for (const { uri: space, local: name, value } of Object.values(attributes)) {
      const described = properties[space + name];
      if (described) add(described, value);
    }
    const opened = properties[uri + local];
    if (opened) property = opened;
    isDefault = Object.values(attributes).some(
      ({ local: name, value }) => name === "lang" && value === "x-default",
    );
    text = "";
  });
  parser.on("text", (piece) => void (text += piece));
  parser.on("cdata", (piece) => void (text += piece));
  parser.on("closetag", ({ uri, local }) => {
    const isItem = uri === RDF && local === "li";
    const isProperty = properties[uri + local] !== undefined;
    if (property && (isItem || isProperty)) add(property, text, isDefault);
    if (isProperty) property = undefined;
    text = "";
  });
  try {
    parser.write(decoded(xmp)).close();
  } catch {
    // what was read before the mistake is kept
  }
  const { artist, copyright } = found;
  return {
    ...(artist && { artist: clean([...new Set(artist)].join("; ")) }),
    ...(copyright?.[0] && { copyright: copyright[0] }),
  };
}

/** The packet without the padding at its end. */
function decoded(xmp: Buffer): string {
  const order = xmp.toString("latin1", 0, 2);
  const encoding = order === "\xff\xfe" ? "utf-16le" : order === "\xfe\xff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(xmp).replace(/\0/g, "").trim();
}
