import type { HttpResponse, RequestContext } from "./types.ts";

// renamed to x-amzn-Remapped-* on the way out [V-AWS]; WWW-Authenticate from a Lambda proxy too [V-WILD]
const REMAPPED = new Set(["connection", "content-length", "date", "server", "www-authenticate"]);

const REMAPPED_NON_PROXY = new Set([
  ...REMAPPED,
  "authorization",
  "content-md5",
  "expect",
  "host",
  "max-forwards",
  "proxy-authenticate",
  "trailer",
  "upgrade",
  "user-agent",
]);

// framing and request ids are the gateway's; node writes no Trailer before a body of known length
const DROPPED = new Set(["trailer", "transfer-encoding", "x-amzn-requestid", "x-amz-apigw-id"]);

/** Creates an empty list of response headers with case-insensitive names; the first casing stays. */
export function create() {
  const fields = new Map<string, { name: string; values: string[] }>();

  const list = (remapped: Set<string>): HttpResponse["headers"] =>
    [...fields].flatMap(([lower, { name, values }]) => {
      if (DROPPED.has(lower) && !remapped.has(lower)) return [];
      const shown = remapped.has(lower) ? `x-amzn-Remapped-${name}` : name;
      return values.map((value): [string, string] => [shown, withoutInvalidCharacters(value)]);
    });

  const set = (name: string, value: string) =>
    void fields.set(name.toLowerCase(), { name, values: [value] });

  const setDefault = (name: string, value: string) => {
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), { name, values: [value] });
  };

  return {
    append(name: string, value: string) {
      const field = fields.get(name.toLowerCase());
      if (field) field.values.push(value);
      else fields.set(name.toLowerCase(), { name, values: [value] });
    },
    set,
    setDefault,
    /** Returns the headers of a proxy integration: JSON by default, even for an empty body. [V-AWS] */
    forProxy(context: RequestContext | undefined): HttpResponse["headers"] {
      setDefault("Content-Type", "application/json");
      // absent on HTTP_PROXY and MOCK [V-AWS]
      if (context) set("X-Amzn-Trace-Id", context.trace.header);
      return list(REMAPPED);
    },
    forNonProxy: (): HttpResponse["headers"] => list(REMAPPED_NON_PROXY),
  };
}

// removes characters that node refuses to write; a line break would start another header
const withoutInvalidCharacters = (value: string) => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, "");
