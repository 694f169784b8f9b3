/** An API's `binaryMediaTypes`. "Binary" is decided by these lists, never by looking at bytes. */
export type MediaTypes = { exact: Set<string>; prefixes: string[]; all: boolean };

export function create(list: string[]): MediaTypes {
  const types = list.map((type) => type.toLowerCase());
  return {
    all: types.includes("*/*"),
    exact: new Set(types),
    // a wildcard works on the right (`application/*`), not on the left (`*/test`) [V-AWS]
    prefixes: types
      .filter((type) => type.endsWith("/*") && !type.startsWith("*"))
      .map((type) => type.slice(0, -1)),
  };
}

/** Whether a `Content-Type` is on the list. */
export function includes(types: MediaTypes, contentType: string | undefined): boolean {
  if (types.all) return true;
  if (!contentType) return false;
  const essence = contentType.split(";", 1)[0]!.trim().toLowerCase();
  return types.exact.has(essence) || types.prefixes.some((prefix) => essence.startsWith(prefix));
}

/** Whether the client asks for binary: only the *first* type of `Accept` is looked at. [V-AWS test_aws_proxy_binary_response] */
export const accepts = (types: MediaTypes, accept: string | undefined): boolean =>
  types.all || (accept !== undefined && includes(types, accept.split(",", 1)[0]));

/** The key of `templates` to use: the wanted type, else application/json, else the first. */
export function choose(
  templates: Record<string, string>,
  wanted: string | undefined,
): string | undefined {
  const essence = wanted?.split(/[,;]/, 1)[0]?.trim();
  if (essence && templates[essence] !== undefined) return essence;
  if (templates["application/json"] !== undefined) return "application/json";
  return Object.keys(templates)[0];
}
