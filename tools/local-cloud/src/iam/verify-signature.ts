import {
  type SignedRequest,
  canonicalRequest,
  header,
  queryPairs,
  unsignedHeader,
} from "./canonical-request.ts";
import type { SignatureAge } from "./signature-age.ts";
import {
  ALGORITHM,
  type CredentialScope,
  toAmzDate,
  equalInConstantTime,
  hmacHex,
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
//
// sign-request.ts signs with aws4; verification is our own, because aws4 1.13 cannot verify:
// - for S3 it signs only the first of several query values of one name, so a forged second value would pass;
// - it leaves out a signed header that the request does not have, where AWS signs an empty value;
// - it replaces bytes that are not UTF-8 instead of rejecting them;
// - presigned URLs for S3 always count as UNSIGNED-PAYLOAD, also when they state a hash;
// - it does not give out the key from which chunk signatures and POST policies are computed.

export type Credentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
};

export type { SignedRequest } from "./canonical-request.ts";

export type VerifyOptions = CredentialScope & {
  /** Milliseconds since the epoch. */
  now: number;
  /** Where the clock of the signer or of the service can be moved; without it, both are `now`. */
  ageOf?: (signedAt: number, signer: Credentials | undefined) => SignatureAge;
  /** How far `x-amz-date` may differ from now: 15 minutes in most services, 5 in execute-api. */
  maxSkewSeconds?: number;
};

export type Verified<P> = {
  ok: true;
  principal: P;
  /** What is signed for the body: its SHA-256 in hex, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  payloadHash: string;
  /** From this the chunk signatures of an aws-chunked body are derived. */
  seed: { key: Buffer; date: string; scope: string; signature: string };
};

/** Why a signature is rejected; each service has its own error code and message for it. */
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

/** Returns whether the request has a signature, in its header or its query; without one it is anonymous. */
export const isSigned = (request: SignedRequest) =>
  request.headers["authorization"] !== undefined || isPresigned(request);

export const isPresigned = (request: SignedRequest) =>
  /[?&]X-Amz-(Algorithm|Signature|Credential)=/i.test(request.url);

/** Verifies the `Authorization` header of a request. */
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
  const { skew } = ageOf(sentAt, find(parts.accessKeyId), options);
  if (Math.abs(skew) > maxSkewMs(options))
    return rejected(
      skew > 0 ? "skewed" : "not-yet-valid",
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

/** Verifies the signature in the query of a presigned URL. */
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
  const { age, skew } = ageOf(signedAt, find(parts.accessKeyId), options);
  if (-skew > maxSkewMs(options)) return rejected("not-yet-valid", "Request is not yet valid");
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

function ageOf(signedAt: number, signer: Credentials | undefined, options: VerifyOptions) {
  const age = options.now - signedAt;
  return options.ageOf?.(signedAt, signer) ?? { age, skew: age };
}

const maxSkewMs = ({ maxSkewSeconds = DEFAULT_MAX_SKEW_SECONDS }: VerifyOptions) =>
  maxSkewSeconds * 1000;

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
    return new Map(); // not percent-encoded UTF-8, so it has no readable signature
  }
}

const rejected = (problem: SignatureProblem, message: string): Rejected => ({
  ok: false,
  problem,
  message,
});
