import { GetObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bucket, bucketArn, smallGraph, startS3 } from "./s3.fixture.ts";

const Bucket = "pictures";
const graph = smallGraph(bucket(Bucket), {
  uploader: [
    { Effect: "Allow", Action: "s3:PutObject", Resource: `${bucketArn(Bucket)}/uploads/*` },
  ],
});
let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => void (s3 = await startS3(graph)));
afterAll(() => s3.stop());

const Conditions: PresignedPostOptions["Conditions"] = [
  ["content-length-range", 3, 10],
  ["starts-with", "$Content-Type", "image/"],
];

const presign = (more: Partial<PresignedPostOptions> = {}) =>
  createPresignedPost(s3.client(s3.role("uploader")), {
    Bucket,
    Key: "uploads/1",
    Conditions,
    Expires: 300,
    ...more,
  });

async function post(
  fields: Record<string, string>,
  file: Blob | undefined,
  after: Record<string, string> = {},
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file) form.append("file", file, "my photo.png");
  for (const [name, value] of Object.entries(after)) form.append(name, value);
  const response = await fetch(`${s3.endpoint}/${Bucket}`, {
    method: "POST",
    body: form,
    redirect: "manual",
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const picture = new Blob(["picture"]);
const png = { "Content-Type": "image/png" };
const stored = async (Key: string) => {
  const object = await s3.client().send(new GetObjectCommand({ Bucket, Key }));
  return { ...object, text: await object.Body!.transformToString() };
};

test("a form that meets its policy becomes an object and an event", async () => {
  const { fields } = await presign();
  const { status, headers } = await post({ ...fields, ...png }, picture);
  expect(status).toBe(204);
  expect(headers.get("etag")).toMatch(/^"[\da-f]{32}"$/);
  expect(await stored("uploads/1")).toMatchObject({ text: "picture", ContentType: "image/png" });
  expect(s3.events.at(-1)).toMatchObject({
    eventName: "ObjectCreated:Post",
    s3: { object: { key: "uploads/1", size: 7 } },
  });
});

test("fields become headers and metadata, also with characters beyond ASCII", async () => {
  const { fields } = await presign({
    Key: "uploads/meta",
    Fields: { "x-amz-meta-title": "né 🙂", "Cache-Control": "no-store" },
  });
  expect((await post({ ...fields, ...png }, picture)).status).toBe(204);
  const { Metadata, CacheControl } = await stored("uploads/meta");
  expect(CacheControl).toBe("no-store");
  expect(Buffer.from(Metadata!.title!, "latin1").toString()).toBe("né 🙂");
});

test.each<[string, Record<string, string>, number, string]>([
  [
    "another key",
    { key: "uploads/2" },
    403,
    "Policy Condition failed: [&quot;eq&quot;,&quot;$key&quot;,&quot;uploads/1&quot;]",
  ],
  ["a type that is not a picture", { "Content-Type": "text/html" }, 403, "Policy Condition failed"],
  [
    "a list with one type that is not a picture",
    { "Content-Type": "image/png, text/html" },
    403,
    "Policy Condition failed",
  ],
  ["no type", { "Content-Type": "" }, 403, "Policy Condition failed"],
  [
    "a field that the policy does not name",
    { "x-amz-meta-evil": "1" },
    403,
    "Extra input fields: x-amz-meta-evil",
  ],
  [
    "a changed policy",
    {
      Policy: Buffer.from('{"expiration":"2100-01-01T00:00:00Z","conditions":[]}').toString(
        "base64",
      ),
    },
    403,
    "SignatureDoesNotMatch",
  ],
  ["the date of another day", { "X-Amz-Date": "20200101T000000Z" }, 400, "InvalidArgument"],
  ["another signature", { "X-Amz-Signature": "0".repeat(64) }, 403, "SignatureDoesNotMatch"],
  ["another token", { "X-Amz-Security-Token": "other" }, 400, "InvalidToken"],
])("a form with %s is refused and stores nothing", async (_, change, status, reason) => {
  const before = s3.events.length;
  const { fields } = await presign();
  const answer = await post({ ...fields, ...png, ...change }, picture);
  expect(answer).toMatchObject({ status, text: expect.stringContaining(reason) });
  expect(s3.events.length).toBe(before);
});

test("a form signed with an unknown access key is refused", async () => {
  const { fields } = await presign();
  const credential = fields["X-Amz-Credential"]!.replace(/^[^/]+/, "AKIANOBODY");
  const { status, text } = await post(
    { ...fields, ...png, "X-Amz-Credential": credential },
    picture,
  );
  expect(status).toBe(403);
  expect(text).toContain("<Code>InvalidAccessKeyId</Code>");
});

test("fields that begin with x-ignore need no condition, and fields after the file are ignored", async () => {
  const { fields } = await presign();
  expect(
    (await post({ ...fields, ...png, "x-ignore-me": "1" }, picture, { submit: "Send" })).status,
  ).toBe(204);
});

test.each([
  ["too large", "01234567890", "EntityTooLarge", "<MaxSizeAllowed>10</MaxSizeAllowed>"],
  [
    "much too large",
    "0".repeat(3_000_000),
    "EntityTooLarge",
    "<MaxSizeAllowed>10</MaxSizeAllowed>",
  ],
  ["too small", "01", "EntityTooSmall", "<MinSizeAllowed>3</MinSizeAllowed>"],
])("a file that is %s is refused with the limit", async (_, content, code, limit) => {
  const { fields } = await presign({ Key: "uploads/size" });
  const { status, text } = await post({ ...fields, ...png }, new Blob([content]));
  expect(status).toBe(400);
  expect(text).toContain(`<Code>${code}</Code>`);
  expect(text).toContain(limit);
  await expect(stored("uploads/size")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a file of the minimum or maximum size is accepted", async () => {
  for (const content of ["012", "0123456789"]) {
    const { fields } = await presign();
    expect((await post({ ...fields, ...png }, new Blob([content]))).status).toBe(204);
  }
});

test("of several size ranges in a policy the narrowest counts", async () => {
  const { fields } = await presign({
    Conditions: [
      ["content-length-range", 5, 20],
      ["content-length-range", 3, 10],
      ["content-length-range", 4, 30],
      ["starts-with", "$Content-Type", "image/"],
    ],
  });
  const code = async (content: string) =>
    /<Code>(\w+)<\/Code>/.exec((await post({ ...fields, ...png }, new Blob([content]))).text)?.[1];
  expect(await code("0123")).toBe("EntityTooSmall");
  expect(await code("01234")).toBeUndefined();
  expect(await code("0123456789")).toBeUndefined();
  expect(await code("01234567890")).toBe("EntityTooLarge");
});

test("a form is refused after its policy expires", async () => {
  const { fields } = await presign({ Expires: 60 });
  await s3.clock.advance(61_000);
  const { status, text } = await post({ ...fields, ...png }, picture);
  expect(status).toBe(403);
  expect(text).toContain("Invalid according to Policy: Policy expired.");
});

test("a policy does not grant a permission that its signer lacks", async () => {
  const { fields } = await presign({ Key: "originals/1" });
  const { status, text } = await post({ ...fields, ...png }, picture);
  expect(status).toBe(403);
  expect(text).toContain("not authorized to perform: s3:PutObject");
  expect(s3.denials.at(-1)).toMatchObject({ principal: "uploader", action: "s3:PutObject" });
});

test("the form's fields choose the status or redirect of the response", async () => {
  const postWith = async (Fields: Record<string, string>) => {
    const { fields } = await presign({ Fields });
    return post({ ...fields, ...png }, picture);
  };
  const created = await postWith({ success_action_status: "201" });
  expect(created.status).toBe(201);
  expect(created.text).toMatch(
    /^<\?xml[^>]*>\n<PostResponse><Location>http:\/\/127\.0\.0\.1:\d+\/pictures\/uploads%2F1<\/Location><Bucket>pictures<\/Bucket><Key>uploads\/1<\/Key><ETag>&quot;/,
  );
  expect((await postWith({ success_action_status: "200" })).status).toBe(200);
  const plain = await postWith({ success_action_status: "418" });
  expect(plain.status).toBe(204);
  expect(plain.headers.get("location")).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/pictures\/uploads%2F1$/,
  );
  const sent = await postWith({ success_action_redirect: "http://127.0.0.1:1/done?a=1" });
  expect(sent.status).toBe(303);
  expect(sent.headers.get("location")).toMatch(
    /^http:\/\/127\.0\.0\.1:1\/done\?a=1&bucket=pictures&key=uploads%2F1&etag=%22/,
  );
});

test("${filename} in the key is replaced by the name of the file", async () => {
  const { fields } = await presign({ Key: "uploads/${filename}" });
  expect((await post({ ...fields, ...png }, picture)).status).toBe(204);
  expect((await stored("uploads/my photo.png")).text).toBe("picture");
});

test("a form without a file, without a policy or without a key, and a malformed one, is refused", async () => {
  const { fields } = await presign();
  expect(await post({ ...fields, ...png }, undefined)).toMatchObject({
    status: 400,
    text: expect.stringContaining("exactly one file"),
  });
  expect(await post({ key: "uploads/1" }, picture)).toMatchObject({ status: 403 });
  expect(await post(png, picture)).toMatchObject({
    status: 400,
    text: expect.stringContaining("field named 'key'"),
  });
  expect(await post({ ...fields, "x-ignore-long": "x".repeat(21_000) }, picture)).toMatchObject({
    text: expect.stringContaining("MaxPostPreDataLengthExceeded"),
  });
  const body = '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nuploads/1';
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const broken = await fetch(`${s3.endpoint}/${Bucket}`, { method: "POST", body, headers });
  expect(await broken.text()).toContain("<Code>MalformedPOSTRequest</Code>");
});

test("a file that contains text like boundaries is stored unchanged, however it is split", async () => {
  const content = "\r\n--b\r\n--bo\r\n\r\n--bounds--x\r";
  const { fields } = await presign({
    Key: "uploads/odd",
    Conditions: [["starts-with", "$Content-Type", ""]],
  });
  const parts = Object.entries({ ...fields, ...png }).map(
    ([name, value]) =>
      `--boundary\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const body = `${parts.join("")}--boundary\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n${content}\r\n--boundary--\r\n`;
  for (const size of [1, 7, 4096]) {
    const status = await new Promise((resolve, reject) => {
      const headers = {
        "content-type": "multipart/form-data; boundary=boundary",
        "content-length": Buffer.byteLength(body),
      };
      const req = request(`${s3.endpoint}/${Bucket}`, { method: "POST", headers }, (res) =>
        resolve(res.resume().statusCode),
      ).on("error", reject);
      for (let at = 0; at < body.length; at += size) req.write(body.slice(at, at + size));
      req.end();
    });
    expect(status).toBe(204);
    expect((await stored("uploads/odd")).text).toBe(content);
  }
});
