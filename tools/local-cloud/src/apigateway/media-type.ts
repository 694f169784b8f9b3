/** The `binaryMediaTypes` of an API. Only this list decides whether a body is binary, never its bytes. */
export type MediaTypes = { exact: Set<string>; prefixes: string[]; all: boolean };

export function create(list: string[]): MediaTypes {
  const types = list.map((type) => type.toLowerCase());
  return {
    all: types.includes("*/*"),
    exact: new Set(types),
    // `application/*` matches, `*/test` does not [V-AWS]
    prefixes: types
      .filter((type) => type.endsWith("/*") && !type.startsWith("*"))
      .map((type) => type.slice(0, -1)),
  };
}

/** Returns whether a `Content-Type` is on the list. */
export function includes(types: MediaTypes, contentType: string | undefined): boolean {
  if (types.all) return true;
  if (!contentType) return false;
  const essence = contentType.split(";", 1)[0]!.trim().toLowerCase();
  return types.exact.has(essence) || types.prefixes.some((prefix) => essence.startsWith(prefix));
}

/** Returns whether the client accepts binary, which only the first type of `Accept` decides. [V-AWS test_aws_proxy_binary_response] */
export const accepts = (types: MediaTypes, accept: string | undefined): boolean =>
  types.all || (accept !== undefined && includes(types, accept.split(",", 1)[0]));

/** Returns the key of `templates` to use: the accepted type, else application/json, else the first. */
export function choose(
  templates: Record<string, string>,
  wanted: string | undefined,
): string | undefined {
  const essence = wanted?.split(/[,;]/, 1)[0]?.trim();
  if (essence && templates[essence] !== undefined) return essence;
  if (templates["application/json"] !== undefined) return "application/json";
  return Object.keys(templates)[0];
}
