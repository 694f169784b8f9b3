/** Also matches strings and regular expressions, so that text in them that looks like a comment is not taken for one. */
const TOKEN =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?{};[]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*/g;

/** The text of each comment of a TypeScript source, without the comment marks. */
export const commentsOf = (source: string): string[] =>
  [...source.matchAll(TOKEN)].flatMap(({ groups }) =>
    groups?.["comment"] ? [groups["comment"].replace(/^\/[/*]|\*\/$/g, "")] : [],
  );

/** The source without its comments. */
export const codeOf = (source: string): string =>
  source.replaceAll(TOKEN, (token, ...rest) => {
    const groups = rest.at(-1) as { comment?: string };
    return groups.comment ? " " : token;
  });
