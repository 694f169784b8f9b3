import { signatureAge } from "../iam/signature-age.ts";
import type { SignatureProblem } from "../iam/verify-signature.ts";
import {
  ALGORITHM,
  equalInConstantTime,
  hmacHex,
  parseCredential,
  parseAmzDate,
  signingKey,
} from "../iam/signature-parts.ts";
import * as Access from "./access.ts";
import * as Payload from "./payload.ts";
import type { Action, Answer, Call, Caller, S3 } from "./types.ts";
import { S3Error } from "./s3-error.ts";
import * as FormParser from "./form-parser.ts";
import * as Key from "./key.ts";
import * as ObjectHeaders from "./object-headers.ts";
import * as PostPolicy from "./post-policy.ts";
import type { Version } from "./store.ts";
import * as Xml from "./xml.ts";
import { commitObject, draftOfPayload, storedHeaders } from "./commit-object.ts";

/** A form that a browser sends straight to the bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
export const postObject: Action = async (s3, call) => {
  const { fields, filename, file } = await FormParser.read(
    call.headers["content-type"],
    call.body(),
  );
  const key = fields.get("key")?.replaceAll("${filename}", basename(filename));
  if (!key)
    throw new S3Error(
      "InvalidArgument",
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      { ArgumentName: "key", ArgumentValue: "" },
    );
  Key.demand(key);
  fields.set("key", key);
  const { caller, policy } = identify(s3, call, fields);
  const post: Call = { ...call, key, caller, headers: headersOf(call, fields) };
  Access.assertAllowed(s3, post, "s3:PutObject");
  const headers = ObjectHeaders.fromHeaders(post.headers);
  const { minimum, maximum } = policy
    ? PostPolicy.lengthRange(policy)
    : { minimum: 0, maximum: MAX_POST_BYTES };
  const claim = { checksum: Payload.checksumOf(post.headers), md5: fields.get("content-md5") };
  const received = await Payload.receive(
    s3,
    within(file, minimum, Math.min(maximum, MAX_POST_BYTES)),
    claim,
  );
  const version = commitObject(s3, post, draftOfPayload(received, headers), "ObjectCreated:Post");
  return answer(post, fields, version);
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
const MAX_POST_BYTES = 5 * 1024 ** 3;

function identify(
  s3: S3,
  { bucket }: Call,
  fields: Map<string, string>,
): { caller: Caller; policy?: PostPolicy.PostPolicy } {
  const encoded = fields.get("policy");
  if (encoded === undefined) return { caller: { how: "anonymous" } };
  const { principal, signedAt } = verify(s3, encoded, fields);
  const policy = PostPolicy.parse(encoded);
  // the expiry is a date of the signer's clock, too
  const { age } = signatureAge(s3.clock)(signedAt, principal);
  PostPolicy.demand(policy, fields, bucket.name, signedAt + age);
  return { caller: { principal, how: "POST" }, policy };
}

/** Here the policy itself is what is signed. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html */
function verify(s3: S3, encoded: string, fields: Map<string, string>) {
  const field = (name: string) => {
    const value = fields.get(name);
    if (value === undefined)
      throw new S3Error(
        "InvalidArgument",
        `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
        { ArgumentName: name, ArgumentValue: "" },
      );
    return value;
  };
  const credential = parseCredential(field("x-amz-credential"));
  const date = field("x-amz-date");
  const signedAt = parseAmzDate(date);
  const isRightScope =
    credential.service === "s3" &&
    credential.region === s3.graph.region &&
    date.startsWith(credential.day);
  if (field("x-amz-algorithm") !== ALGORITHM || !isRightScope || signedAt === undefined)
    throw new S3Error(
      "InvalidArgument",
      "Error parsing the X-Amz-Credential, X-Amz-Algorithm or X-Amz-Date field.",
      { ArgumentName: "X-Amz-Credential" },
    );
  const principal = s3.principals.find(credential.accessKeyId);
  const refuse = (problem: SignatureProblem, message: string) =>
    Access.refusal(s3, { ok: false, problem, message });
  if (!principal)
    throw refuse(
      "unknown-key",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  if (!equalInConstantTime(principal.sessionToken ?? "", fields.get("x-amz-security-token") ?? ""))
    throw refuse("bad-token", "The provided token is malformed or otherwise invalid.");
  const key = signingKey(principal.secretAccessKey, credential.day, credential);
  if (!equalInConstantTime(hmacHex(key, encoded), field("x-amz-signature")))
    throw refuse(
      "mismatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return { principal, signedAt };
}

/** The form fields as the headers of a PUT. */
const headersOf = (call: Call, fields: Map<string, string>): Call["headers"] => ({
  host: call.headers["host"],
  "user-agent": call.headers["user-agent"],
  ...Object.fromEntries(
    [...fields].map(([name, value]) => [
      name === "acl" ? "x-amz-acl" : name === "tagging" ? "x-amz-tagging" : name,
      value,
    ]),
  ),
});

async function* within(
  file: AsyncIterable<Buffer>,
  minimum: number,
  maximum: number,
): AsyncIterable<Buffer> {
  let size = 0;
  for await (const chunk of file) {
    size += chunk.length;
    if (size > maximum) throw Payload.tooLarge(size, maximum);
    yield chunk;
  }
  if (size < minimum)
    throw new S3Error(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
      {
        ProposedSize: String(size),
        MinSizeAllowed: String(minimum),
      },
    );
}

function answer(call: Call, fields: Map<string, string>, version: Version): Answer {
  const { bucket, key } = call;
  const location = Key.url(call);
  const headers = { ...storedHeaders(call, version), location };
  const redirect = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (redirect && URL.canParse(redirect)) {
    const target = new URL(redirect);
    for (const [name, value] of Object.entries({
      bucket: bucket.name,
      key,
      etag: `"${version.etag}"`,
    }))
      target.searchParams.set(name, value);
    return { status: 303, headers: { ...headers, location: target.href } };
  }
  const status = fields.get("success_action_status");
  if (status === "200") return { status: 200, headers };
  if (status !== "201") return { status: 204, headers };
  const body = Xml.document("PostResponse", [
    Xml.element("Location", location),
    Xml.element("Bucket", bucket.name),
    Xml.element("Key", key),
    Xml.element("ETag", `"${version.etag}"`),
  ]);
  return { status: 201, headers, body };
}

/** The file name without a path, which old browsers send. */
const basename = (filename: string) => filename.split(/[/\\]/).at(-1) ?? "";
