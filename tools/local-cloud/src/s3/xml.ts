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
