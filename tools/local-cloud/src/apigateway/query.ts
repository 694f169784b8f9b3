/** Decoded query parameters, each with all values in order. */
export type Values = Record<string, string[]>;

/**
 * Parses a query: `+` is a space, `%2B` a plus, `;` separates like `&`. Returns null without parameters. [V-AWS]
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
export function parse(raw: string): Values | null {
  if (!raw) return null;
  const values: Values = Object.create(null);
  let any = false;
  for (const pair of raw.split(/[&;]/)) {
    if (!pair) continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    (values[name] ??= []).push(equals < 0 ? "" : decode(pair.slice(equals + 1)));
    any = true;
  }
  return any ? values : null;
}

/** Returns the last value of each parameter. */
export function lastValues(values: Values): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  for (const name in values) result[name] = values[name]!.at(-1)!;
  return result;
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // not UTF-8, or a single `%`: stays as it was sent
    return spaced;
  }
}
