import { type CSSToken, TokenType, tokenize } from "@csstools/css-tokenizer";

// The parts of CSS that decide what an SVG costs, read by the rules of CSS Syntax, because librsvg reads it so: `u\72l(#a)` and
// `URL("#a")` are `url(#a)`. Selectors are not read: a declaration may apply to every element.

export type Declaration = {
  /** In lower case. */
  property: string;
  urls: string[];
  numbers: number[];
  /** In lower case. */
  keywords: string[];
};

export type Sheet = {
  declarations: Declaration[];
  rules: number;
  /** Of declarations and of `@import`. */
  urls: string[];
};

/** Attributes that are no properties of CSS, but are often long. */
const PLAIN = new Set(["d", "points", "transform", "id", "class", "gradientTransform", "values"]);
/** Properties without a reference that svg-cost.ts knows. */
const KNOWN = new Set(["stroke-dasharray", "opacity", "mix-blend-mode", "isolation"]);

/** The declarations of an attribute: several for `style`, one for a property, none for other attributes. */
export function readAttribute(name: string, value: string): Declaration[] {
  if (name === "style") return readSheet(value).declarations;
  if (PLAIN.has(name)) return [];
  const mayRefer = /url\s*\(|\\/i.test(value);
  return mayRefer || KNOWN.has(name) ? readSheet(`${name}:${value}`).declarations : [];
}

/** What a style sheet or a `style` attribute says. The fonts of `@font-face`, which librsvg does not load, are left out. */
export function readSheet(css: string): Sheet {
  const sheet: Sheet = { declarations: [], rules: 0, urls: [] };
  if (css === "") return sheet;
  const tokens = tokenize({ css }).filter(
    ([type]) => type !== TokenType.Whitespace && type !== TokenType.Comment,
  );
  let declaration: Declaration | undefined;
  let at = 0;
  while (at < tokens.length) {
    const token = tokens[at]!;
    const name = token[0] === TokenType.AtKeyword ? token[4].value.toLowerCase() : undefined;
    if (name === "font-face") {
      let isOpen = false;
      // ends at the first brace, also inside of brackets: rather too little is left out than too much
      while (at < tokens.length && !endsRule(tokens[at]!, isOpen)) {
        isOpen ||= tokens[at]![0] === TokenType.OpenCurly;
        at += 1;
      }
      continue;
    }
    if (name === "import") {
      for (; at < tokens.length && !endsDeclaration(tokens[at]!); at++)
        sheet.urls.push(...urlsAt(tokens, at, true));
      continue;
    }
    if (token[0] === TokenType.OpenCurly) sheet.rules += 1;
    if (endsDeclaration(token)) declaration = undefined;
    else if (token[0] === TokenType.Ident && tokens[at + 1]?.[0] === TokenType.Colon) {
      declaration = {
        property: token[4].value.toLowerCase(),
        urls: [],
        numbers: [],
        keywords: [],
      };
      sheet.declarations.push(declaration);
      at += 1;
    } else {
      const urls = urlsAt(tokens, at, false);
      sheet.urls.push(...urls);
      if (declaration) add(declaration, token, urls);
    }
    at += 1;
  }
  return sheet;
}

/** Whether a URL, or the text around one, has the scheme `data`. A URL's parser ignores control characters and spaces. */
export const hasDataUrl = (url: string): boolean =>
  url
    .replace(/[\p{Cc} ]/gu, "")
    .toLowerCase()
    .includes("data:");

const endsDeclaration = ([type]: CSSToken) =>
  type === TokenType.Semicolon || type === TokenType.OpenCurly || type === TokenType.CloseCurly;

const endsRule = ([type]: CSSToken, isOpen: boolean) =>
  type === TokenType.CloseCurly || (type === TokenType.Semicolon && !isOpen);

function add(declaration: Declaration, token: CSSToken, urls: string[]) {
  declaration.urls.push(...urls);
  if (token[0] === TokenType.Ident) declaration.keywords.push(token[4].value.toLowerCase());
  if (
    token[0] === TokenType.Number ||
    token[0] === TokenType.Percentage ||
    token[0] === TokenType.Dimension
  )
    declaration.numbers.push(token[4].value);
}

/** `url(a)` is one token, `url("a")` a function with a string; an import may be the string alone. */
function urlsAt(tokens: CSSToken[], at: number, acceptsString: boolean): string[] {
  const token = tokens[at]!;
  if (token[0] === TokenType.URL) return [token[4].value];
  if (token[0] !== TokenType.String) return [];
  const before = tokens[at - 1];
  const isArgument = before?.[0] === TokenType.Function && before[4].value.toLowerCase() === "url";
  return acceptsString || isArgument ? [token[4].value] : [];
}
