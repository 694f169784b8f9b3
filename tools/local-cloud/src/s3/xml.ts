/** Escaped XML markup. */
export type Markup = { readonly markup: string };

export function element(name: string, content: string | number | boolean | Markup[]): Markup {
  const inner = Array.isArray(content)
    ? content.map(({ markup }) => markup).join("")
    : escape(String(content));
  return { markup: `<${name}>${inner}</${name}>` };
}

/** An element that is left out if its value is undefined. */
export const optional = (name: string, content: string | number | undefined): Markup[] =>
  content === undefined ? [] : [element(name, content)];

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

export function document(name: string, content: string | Markup[]): string {
  const opening =
    name === "Error" || name === "PostResponse" ? name : `${name} xmlns="${NAMESPACE}"`;
  const { markup } = element(name, content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${opening}${markup.slice(name.length + 1)}`;
}

export type Node = { name: string; text: string; children: Node[] };

/** Parses a request document; undefined if it is not well-formed or has declarations, which no S3 request needs. */
export function parse(source: string): Node | undefined {
  const root: Node = { name: "", text: "", children: [] };
  const open = [root];
  const token =
    /<\?[^>]*\?>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const found of source.matchAll(token)) {
    end = found.index + found[0].length;
    const [, closing, name, , empty, text] = found;
    const current = open.at(-1)!;
    if (text !== undefined) {
      current.text += unescape(text);
    } else if (closing) {
      if (open.length < 2 || open.pop()!.name !== name) return undefined;
    } else if (name) {
      const node: Node = { name, text: "", children: [] };
      current.children.push(node);
      if (!empty) open.push(node);
    }
    if (open.length > MAX_DEPTH) return undefined;
  }
  if (end !== source.length || open.length !== 1 || root.children.length !== 1) return undefined;
  return root.children[0];
}

/** The greatest depth of elements: the list of parts in a multipart completion has three levels. */
const MAX_DEPTH = 8;

export const child = (node: Node, name: string) => node.children.find((one) => one.name === name);

const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

const unescape = (text: string) =>
  text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return named[name] ?? whole;
    const point = hex ? Number.parseInt(hex, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

const escape = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    // an unescaped line break in a key would be parsed as a space or a line feed
    .replace(
      // oxlint-disable-next-line no-control-regex
      /[\u0000-\u001f\u007f-\u009f]/g,
      (char) => `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`,
    );
