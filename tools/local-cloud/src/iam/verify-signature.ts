import {
  type SignedRequest,
  canonicalRequest,
  header,
  queryPairs,
  unsignedHeader,
} from "./canonical-request.ts";
import {
  ALGORITHM,
  type CredentialScope,
  toAmzDate,
  equalInConstantTime,
  hmacHex,
  formatAmzDate,
  parseAuthorization,
  parseCredential,
  parseAmzDate,
  scopeOf,
  sha256,
  signingKey,
  stringToSign,
} from "./signature-parts.ts";

// Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// and, for what S3 does differently, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

export type Credentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
};

export type { SignedRequest } from "./canonical-request.ts";

export type VerifyOptions = CredentialScope & {
  /** Milliseconds since the epoch. */
  now: number;
  /** How long ago a signature of that date was made, where its maker may have read another clock. */
  ageOf?: (signedAt: number) => number;
  /** How far `x-amz-date` may be off; AWS allows 15 minutes, execute-api 5. */
  maxSkewSeconds?: number;
};

export type Verified<P> = {
  ok: true;
  principal: P;
  /** What the signature says about the body: its SHA-256 in hex, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  payloadHash: string;
  /** What every chunk signature of an aws-chunked body is derived from. */
  seed: { key: Buffer; date: string; scope: string; signature: string };
};

/** Each service words these in its own way, so they are named and not worded here. */
export type SignatureProblem =
  | "missing"
  | "malformed"
  | "wrong-scope"
  | "unknown-key"
  | "bad-token"
  | "skewed"
  | "not-yet-valid"
  | "expired"
  | "unsigned-header"
  | "mismatch";

export type Rejected = { ok: false; problem: SignatureProblem; message: string };

export type Verification<P> = Verified<P> | Rejected;

export type FindPrincipal<P> = (accessKeyId: string) => P | undefined;

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
const DEFAULT_MAX_SKEW_SECONDS = 15 * 60;
const MAX_PRESIGN_SECONDS = 7 * 24 * 60 * 60;

/** Whether the request carries a signature of either kind; one that carries none is anonymous. */
export const isSigned = (request: SignedRequest) =>
  request.headers["authorization"] !== undefined || isPresigned(request);

export const isPresigned = (request: SignedRequest) =>
  /[?&]X-Amz-(Algorithm|Signature|Credential)=/i.test(request.url);

/** Verifies an `Authorization` header. */
export function verifyHeader<P extends Credentials>(
  request: SignedRequest,
  find: FindPrincipal<P>,
  options: VerifyOptions,
): Verification<P> {
  const authorization = header(request, "authorization");
  if (!authorization) return rejected("missing", "Missing Authentication Token");
  const parts = parseAuthorization(authorization);
  if (!parts) return rejected("malformed", "The authorization header is malformed");
  const date = header(request, "x-amz-date") ?? toAmzDate(header(request, "date"));
  const sentAt = date ? parseAmzDate(date) : undefined;
  if (!date || sentAt === undefined)
    return rejected("malformed", "A valid x-amz-date header is required");
  const skew = (options.maxSkewSeconds ?? DEFAULT_MAX_SKEW_SECONDS) * 1000;
  const age = ageOf(sentAt, options);
  if (Math.min(Math.abs(options.now - sentAt), Math.abs(age)) > skew)
    return rejected(
      age > 0 ? "skewed" : "not-yet-valid",
      "The difference between the request time and the current time is too large.",
    );
  const stated = header(request, "x-amz-content-sha256");
  const isS3 = options.service === "s3";
  if (isS3 && !stated)
    return rejected("malformed", "Missing required header for this request: x-amz-content-sha256");
  const payloadHash = isS3 ? stated! : sha256(request.body ?? "");
  const token = header(request, "x-amz-security-token");
  return checkSignature(request, find, options, { ...parts, date, payloadHash, token });
}

/** Verifies a presigned URL. */
export function verifyQuery<P extends Credentials>(
  request: SignedRequest,
  find: FindPrincipal<P>,
  options: VerifyOptions,
): Verification<P> {
  const query = lowerCaseQuery(request.url);
  const credential = query.get("x-amz-credential");
  const signature = query.get("x-amz-signature");
  const signedHeaders = query.get("x-amz-signedheaders");
  const date = query.get("x-amz-date");
  const lifetime = query.get("x-amz-expires");
  if (!credential || !signature || !signedHeaders || !date || !lifetime)
    return rejected(
      "malformed",
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  if (query.get("x-amz-algorithm") !== ALGORITHM)
    return rejected("malformed", `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const signedAt = parseAmzDate(date);
  if (signedAt === undefined)
    return rejected(
      "malformed",
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    );
  const seconds = /^\d+$/.test(lifetime) ? Number(lifetime) : Number.NaN;
  if (!(seconds >= 0)) return rejected("malformed", "X-Amz-Expires should be a number");
  if (seconds > MAX_PRESIGN_SECONDS)
    return rejected(
      "malformed",
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  const parts = {
    ...parseCredential(credential),
    signedHeaders: signedHeaders.split(";"),
    signature,
  };
  if (!parts.accessKeyId)
    return rejected("malformed", "Error parsing the X-Amz-Credential parameter");
  const age = ageOf(signedAt, options);
  if (age < -(options.maxSkewSeconds ?? DEFAULT_MAX_SKEW_SECONDS) * 1000)
    return rejected("not-yet-valid", "Request is not yet valid");
  if (age > seconds * 1000) return rejected("expired", "Request has expired");
  const payloadHash =
    header(request, "x-amz-content-sha256") ??
    query.get("x-amz-content-sha256") ??
    (options.service === "s3" ? UNSIGNED_PAYLOAD : sha256(request.body ?? ""));
  return checkSignature(request, find, options, {
    ...parts,
    date,
    payloadHash,
    token: query.get("x-amz-security-token"),
  });
}

const ageOf = (signedAt: number, { now, ageOf: since }: VerifyOptions) =>
  since?.(signedAt) ?? now - signedAt;

/** The headers to add to a request so that AWS, or `verifyHeader`, accepts it. `headers` must hold `host`. */
export function sign(
  request: SignedRequest,
  credentials: Credentials,
  service: string,
  region: string,
  now: number,
): Record<string, string> {
  const date = formatAmzDate(now);
  const payloadHash = header(request, "x-amz-content-sha256") ?? sha256(request.body ?? "");
  const added: Record<string, string> = { "x-amz-date": date, "x-amz-content-sha256": payloadHash };
  if (credentials.sessionToken) added["x-amz-security-token"] = credentials.sessionToken;
  const lowered = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const whole = { ...request, headers: { ...lowered, ...added } };
  const signedHeaders = Object.keys(whole.headers)
    .filter((name) => name === "host" || name === "content-type" || name.startsWith("x-amz-"))
    .toSorted();
  const scope = scopeOf(date, { service, region });
  const key = signingKey(credentials.secretAccessKey, date.slice(0, 8), { service, region });
  const canonical = canonicalRequest(whole, signedHeaders, payloadHash, service);
  if (!canonical)
    throw new Error(`cannot sign ${request.url}: its path or query is not percent-encoded UTF-8`);
  const signature = hmacHex(key, stringToSign(date, scope, canonical));
  return {
    ...added,
    authorization: `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
  };
}

type SignatureClaim = ReturnType<typeof parseCredential> & {
  signedHeaders: string[];
  signature: string;
  date: string;
  payloadHash: string;
  token: string | undefined;
};

function checkSignature<P extends Credentials>(
  request: SignedRequest,
  find: FindPrincipal<P>,
  options: VerifyOptions,
  claim: SignatureClaim,
): Verification<P> {
  if (claim.service !== options.service)
    return rejected(
      "wrong-scope",
      `Credential should be scoped to correct service: '${options.service}'.`,
    );
  if (claim.region !== options.region)
    return rejected(
      "wrong-scope",
      `the region '${claim.region}' is wrong; expecting '${options.region}'`,
    );
  if (claim.day !== claim.date.slice(0, 8))
    return rejected(
      "wrong-scope",
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.day}' != '${claim.date.slice(0, 8)}'`,
    );
  const unsigned = unsignedHeader(request, claim.signedHeaders, options.service);
  if (unsigned)
    return rejected(
      "unsigned-header",
      `There were headers present in the request which were not signed: ${unsigned}`,
    );
  const principal = find(claim.accessKeyId);
  if (!principal)
    return rejected(
      "unknown-key",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  if (!equalInConstantTime(principal.sessionToken ?? "", claim.token ?? ""))
    return claim.token
      ? rejected("bad-token", "The provided token is malformed or otherwise invalid.")
      : rejected(
          "unknown-key",
          "The AWS Access Key Id you provided does not exist in our records.",
        );
  const key = signingKey(principal.secretAccessKey, claim.day, options);
  const scope = scopeOf(claim.date, options);
  const canonical = canonicalRequest(
    request,
    claim.signedHeaders,
    claim.payloadHash,
    options.service,
  );
  const expected = canonical && hmacHex(key, stringToSign(claim.date, scope, canonical));
  if (!expected || !equalInConstantTime(expected, claim.signature))
    return rejected(
      "mismatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  const seed = { key, date: claim.date, scope, signature: claim.signature };
  return { ok: true, principal, payloadHash: claim.payloadHash, seed };
}

function lowerCaseQuery(url: string): Map<string, string> {
  try {
    return new Map(queryPairs(url).map(([name, value]) => [name.toLowerCase(), value]));
  } catch {
    return new Map(); // not percent-encoded UTF-8: as good as unsigned
  }
}

const rejected = (problem: SignatureProblem, message: string): Rejected => ({
  ok: false,
  problem,
  message,
});
