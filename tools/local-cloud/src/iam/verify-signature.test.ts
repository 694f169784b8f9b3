import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect, test } from "vitest";

import { signRequest } from "./sign-request.ts";
import * as VerifySignature from "./verify-signature.ts";

// the keys, requests and signatures of AWS's own examples:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and sigv4-query-string-auth.html
const example = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const exampleScope = { service: "s3", region: "us-east-1", now: Date.UTC(2013, 4, 24) };
const emptyHash = createHash("sha256").digest("hex");
const exampleGet = {
  method: "GET",
  url: "/test.txt",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": emptyHash,
    "x-amz-date": "20130524T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
};

test("AWS's example of a signed header verifies", () => {
  expect(VerifySignature.verifyHeader(exampleGet, find(example), exampleScope)).toMatchObject({
    ok: true,
    principal: example,
    payloadHash: emptyHash,
  });
});

test("AWS's example of a presigned URL verifies until it expires", () => {
  const request = {
    method: "GET",
    url: "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    headers: { host: "examplebucket.s3.amazonaws.com" },
  };
  expect(VerifySignature.verifyQuery(request, find(example), exampleScope).ok).toBe(true);
  const later = { ...exampleScope, now: exampleScope.now + 86_401_000 };
  expect(VerifySignature.verifyQuery(request, find(example), later)).toMatchObject({
    problem: "expired",
  });
  const forged = { ...request, url: request.url.replace("Expires=86400", "Expires=86401") };
  expect(VerifySignature.verifyQuery(forged, find(example), exampleScope)).toMatchObject({
    problem: "mismatch",
  });
});

test.each([
  ["another method", { method: "DELETE" }, "mismatch"],
  ["another path", { url: "/other.txt" }, "mismatch"],
  ["a query added", { url: "/test.txt?versionId=1" }, "mismatch"],
  ["a signed header changed", header("range", "bytes=0-8"), "mismatch"],
  ["another body stated", header("x-amz-content-sha256", "0".repeat(64)), "mismatch"],
  ["an unsigned x-amz header", header("x-amz-acl", "public-read"), "unsigned-header"],
  ["no signature", header("authorization", undefined), "missing"],
  ["half a signature", header("authorization", "AWS4-HMAC-SHA256 Credential=a"), "malformed"],
  ["a path that is not UTF-8", { url: "/%ff" }, "mismatch"],
])("a signed request with %s is refused", (_, change, problem) => {
  const request = { ...exampleGet, ...change };
  expect(VerifySignature.verifyHeader(request, find(example), exampleScope)).toMatchObject({
    ok: false,
    problem,
  });
});

test("a signature is valid for fifteen minutes, or for the time that the service sets", () => {
  const at = (seconds: number, skewSeconds?: number) =>
    VerifySignature.verifyHeader(exampleGet, find(example), {
      ...exampleScope,
      now: exampleScope.now + seconds * 1000,
      ...(skewSeconds && { maxSkewSeconds: skewSeconds }),
    });
  expect(at(900).ok).toBe(true);
  expect(at(-900).ok).toBe(true);
  expect(at(901)).toMatchObject({ problem: "skewed" });
  expect(at(301, 300)).toMatchObject({ problem: "skewed" });
});

test("a signature for another region or service is refused", () => {
  for (const scope of [{ region: "eu-central-1" }, { service: "dynamodb" }])
    expect(
      VerifySignature.verifyHeader(exampleGet, find(example), { ...exampleScope, ...scope }),
    ).toMatchObject({ problem: "wrong-scope" });
});

const session = { accessKeyId: "ASIALOCAL", secretAccessKey: "s3cret", sessionToken: "to/ken+=" };
const local = { region: "eu-central-1", now: Date.now() };

test("requests that AWS's SDK signs verify, for S3 with special characters in keys and for JSON services with bodies", async () => {
  const { client: s3, sent: toS3 } = recording(S3Client);
  await s3.send(new GetObjectCommand({ Bucket: "b", Key: "a b/ü+%2F/../'(*)!/🙂" }));
  await s3.send(new ListObjectsV2Command({ Bucket: "b", Prefix: "a b+/", Delimiter: "/" }));
  const { client: dynamo, sent: toDynamo } = recording(DynamoDBClient);
  await dynamo.send(new GetItemCommand({ TableName: "t", Key: { pk: { S: "x" } } }));
  expect(toS3.length).toBe(2);
  for (const request of toS3)
    expect(
      VerifySignature.verifyHeader(request, find(session), { ...local, service: "s3" }).ok,
    ).toBe(true);
  const [request] = toDynamo;
  const options = { ...local, service: "dynamodb" };
  expect(VerifySignature.verifyHeader(request!, find(session), options).ok).toBe(true);
  const forged = { ...request!, body: `${String(request!.body)} ` };
  expect(VerifySignature.verifyHeader(forged, find(session), options)).toMatchObject({
    problem: "mismatch",
  });
});

test("temporary credentials need their session token", () => {
  const signed = (credentials: VerifySignature.Credentials) => {
    const request = {
      method: "POST",
      url: "/prod/v1/a%20b?z=1&a=2",
      headers: { host: "h" },
      body: "{}",
    };
    const added = signRequest(request, credentials, "execute-api", "eu-central-1", local.now);
    return { ...request, headers: { ...request.headers, ...added } };
  };
  const verify = (request: VerifySignature.SignedRequest) =>
    VerifySignature.verifyHeader(request, find(session), { ...local, service: "execute-api" });
  expect(verify(signed(session)).ok).toBe(true);
  expect(verify(signed({ ...session, sessionToken: undefined }))).toMatchObject({
    problem: "unknown-key",
  });
  expect(verify(signed({ ...session, sessionToken: "other" }))).toMatchObject({
    problem: "bad-token",
  });
  expect(verify(signed({ ...session, secretAccessKey: "guess" }))).toMatchObject({
    problem: "mismatch",
  });
  expect(verify(signed({ ...session, accessKeyId: "UNKNOWN" }))).toMatchObject({
    problem: "unknown-key",
  });
});

test("a URL that AWS's SDK presigns verifies with its token until it expires", async () => {
  const { client } = recording(S3Client);
  const link = new URL(
    await getSignedUrl(client, new GetObjectCommand({ Bucket: "b", Key: "k" }), { expiresIn: 60 }),
  );
  const request = { method: "GET", url: link.pathname + link.search, headers: { host: link.host } };
  const at = (now: number) =>
    VerifySignature.verifyQuery(request, find(session), { ...local, service: "s3", now });
  expect(VerifySignature.isPresigned(request)).toBe(true);
  expect(at(Date.now()).ok).toBe(true);
  expect(at(Date.now() + 62_000)).toMatchObject({ problem: "expired" });
  expect(at(Date.now() - 1_000_000)).toMatchObject({ problem: "not-yet-valid" });
});

function find(known: VerifySignature.Credentials) {
  return (accessKeyId: string) => (accessKeyId === known.accessKeyId ? known : undefined);
}

function header(name: string, value: string | undefined) {
  return { headers: { ...exampleGet.headers, [name]: value } };
}

/** A client whose signed requests are recorded instead of sent. */
function recording<C extends S3Client | DynamoDBClient>(
  Client: new (config: object) => C,
): { client: C; sent: VerifySignature.SignedRequest[] } {
  const sent: VerifySignature.SignedRequest[] = [];
  const handle = async (request: {
    method: string;
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    body?: string;
  }) => {
    const query = Object.entries(request.query).map((pair) =>
      pair.map(encodeURIComponent).join("="),
    );
    const url = request.path + (query.length ? `?${query.join("&")}` : "");
    sent.push({ method: request.method, url, headers: request.headers, body: request.body });
    return { response: { statusCode: 200, headers: {}, body: Readable.from([]) } };
  };
  const client = new Client({
    region: "eu-central-1",
    endpoint: "http://127.0.0.1:1",
    forcePathStyle: true,
    credentials: session,
    requestHandler: { handle },
  });
  return { client, sent };
}
