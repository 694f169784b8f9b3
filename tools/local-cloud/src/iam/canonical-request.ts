export type SignedRequest = {
  method: string;
  /** Path and query as they were sent, percent-encoded. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  /** Not for S3, which streams: there `x-amz-content-sha256` is signed, and the reader of the body compares the hash. */
  body?: string | Uint8Array | undefined;
};

/**
 * Returns the text that both sides sign, undefined if path or query are not percent-encoded UTF-8.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
 */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: string[],
  payloadHash: string,
  service: string,
): string | undefined {
  try {
    const [path = "/"] = request.url.split("?", 1);
    return [
      request.method.toUpperCase(),
      canonicalPath(path, service),
      canonicalQuery(request.url),
      ...signedHeaders.map((name) => `${name}:${header(request, name) ?? ""}`),
      "",
      signedHeaders.join(";"),
      payloadHash,
    ].join("\n");
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Returns a header as it is signed: values joined by commas, a run of spaces as one. */
export function header(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  const values = Array.isArray(value) ? value : [value];
  return values.map((one) => one.trim().replace(/ +/g, " ")).join(",");
}

/** Returns the decoded names and values of a query; `a` without `=` has an empty value. @throws URIError on bad encoding. */
export function queryPairs(url: string): [string, string][] {
  const start = url.indexOf("?");
  if (start < 0) return [];
  return url
    .slice(start + 1)
    .split("&")
    .filter(Boolean)
    .map((pair) => {
      const [name = "", value = ""] = pair.split(/=(.*)/s, 2);
      return [decode(name), decode(value)];
    });
}

/** Returns a header that must be signed and is not: `host`, and for S3 every `x-amz-` header. */
export function unsignedHeader(request: SignedRequest, signedHeaders: string[], service: string) {
  if (!signedHeaders.includes("host")) return "host";
  if (service !== "s3") return undefined;
  return Object.keys(request.headers).find(
    // the payload hash is signed by itself
    (name) =>
      name.startsWith("x-amz-") && name !== "x-amz-content-sha256" && !signedHeaders.includes(name),
  );
}

/** Everything but the unreserved characters of RFC 3986. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** S3 signs the path encoded once and not normalised; every other service normalises the sent path and encodes it again. */
function canonicalPath(path: string, service: string): string {
  if (service === "s3")
    return path
      .split("/")
      .map((part) => encode(decodeURIComponent(part)))
      .join("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(encode(part));
  }
  const slash = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return `/${kept.join("/")}${slash}`;
}

const canonicalQuery = (url: string) =>
  queryPairs(url)
    .filter(([name]) => name.toLowerCase() !== "x-amz-signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
