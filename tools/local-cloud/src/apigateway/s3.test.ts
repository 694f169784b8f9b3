import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createClock } from "../clock.ts";
import { createPrincipals } from "../iam/principals.ts";
import { silentLog } from "../log.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createS3 } from "../s3/server.ts";
import { account, region, resource, restApi, serve } from "./gateway.fixture.ts";

const png = Buffer.from("89504e470d0a1a0a00ff", "hex");
const roleArn = `arn:aws:iam::${account}:role/pictures`;
const mapped = (...names: string[]) =>
  Object.fromEntries(
    names.map((name) => [`method.response.header.${name}`, `integration.response.header.${name}`]),
  );
const toS3 = (integrationHttpMethod: string, parameters: Record<string, string>) => ({
  type: "AWS",
  integrationHttpMethod,
  uri: `arn:aws:apigateway:${region}:s3:path/pictures/public/{key}`,
  credentials: roleArn,
  requestParameters: { "integration.request.path.key": "method.request.path.key", ...parameters },
});
const problem = {
  contentHandling: "CONVERT_TO_TEXT",
  responseParameters: { "method.response.header.Content-Type": "'application/problem+json'" },
  responseTemplates: { "application/json": `{"id":"$context.requestId"}` },
};
const binary = { contentHandling: "CONVERT_TO_BINARY" };

const file = restApi(
  {
    "GET /s3/{key+}": {
      to: toS3("GET", {
        "integration.request.header.Range": "method.request.header.Range",
        "integration.request.header.If-None-Match": "method.request.header.If-None-Match",
      }),
      responses: {
        "200": { ...binary, responseParameters: mapped("Content-Type", "ETag", "Accept-Ranges") },
        "206": { ...binary, selectionPattern: "206", responseParameters: mapped("Content-Range") },
        "304": { ...binary, selectionPattern: "304", responseParameters: mapped("ETag") },
        "404": { ...problem, selectionPattern: "40[34]" },
      },
    },
    "PUT /s3/{key+}": {
      to: toS3("PUT", { "integration.request.header.If-None-Match": "'*'" }),
      responses: {
        "200": { responseParameters: mapped("ETag") },
        "412": { ...problem, selectionPattern: "412" },
      },
    },
  },
  {
    api: { binaryMediaTypes: ["image/png"] },
    more: [
      resource(
        "aws:s3/bucket:Bucket",
        "pictures",
        { bucket: "pictures" },
        { arn: "arn:aws:s3:::pictures" },
      ),
      resource(
        "aws:iam/role:Role",
        "pictures-role",
        {
          name: "pictures",
          assumeRolePolicy: {
            Statement: {
              Effect: "Allow",
              Action: "sts:AssumeRole",
              Principal: { Service: "apigateway.amazonaws.com" },
            },
          },
          inlinePolicies: [
            {
              policy: JSON.stringify({
                Statement: {
                  Effect: "Allow",
                  Action: ["s3:GetObject", "s3:PutObject"],
                  Resource: "arn:aws:s3:::pictures/public/*",
                },
              }),
            },
          ],
        },
        { arn: roleArn },
      ),
    ],
  },
);

describe("an S3 integration with the local S3", () => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-s3-"));
  const db = new DatabaseSync(join(folder, "state.sqlite"));
  const graph = parseGraph(file);
  const principals = createPrincipals({ graph, db });
  const s3 = createS3({
    graph,
    db,
    folder,
    principals,
    clock: createClock(),
    log: silentLog,
    notify() {},
  });
  let api: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => s3.server.listen(0, "127.0.0.1", resolve));
    const { port } = s3.server.address() as AddressInfo;
    api = await serve(file, {}, { s3: `http://127.0.0.1:${port}`, principals });
  });
  afterAll(async () => {
    await api.stop();
    await s3.stop();
    db.close();
    rmSync(folder, { recursive: true });
  });

  const put = (key: string) =>
    api.call(`/t/s3/${key}`, {
      method: "PUT",
      body: png,
      headers: { "content-type": "image/png" },
    });
  const get = (key: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${api.port}/t/s3/${key}`, { headers });

  it("§7A G34: what was put is got, to the byte, with its md5 as ETag", async () => {
    const md5 = `"${createHash("md5").update(png).digest("hex")}"`;
    const stored = await put("a/b%20%C3%A9.png");
    expect([stored.status, stored.headers.get("etag")]).toEqual([200, md5]);
    const got = await get("a/b%20%C3%A9.png", { accept: "image/avif,image/webp,*/*" });
    expect(Buffer.from(await got.arrayBuffer())).toEqual(png);
    expect([got.headers.get("etag"), got.headers.get("content-type")]).toEqual([md5, "image/png"]);
  });

  it("a name that is taken stays what it is", async () => {
    expect((await put("once.png")).status).toBe(200);
    expect((await put("once.png")).status).toBe(412);
  });

  it("answers a range and a known ETag as S3 does", async () => {
    await put("part.png");
    const range = await get("part.png", { range: "bytes=1-3" });
    expect([range.status, range.headers.get("content-range")]).toEqual([
      206,
      `bytes 1-3/${png.length}`,
    ]);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(png.subarray(1, 4));
    const etag = (await get("part.png")).headers.get("etag")!;
    const same = await get("part.png", { "if-none-match": etag });
    expect([same.status, await same.text()]).toEqual([304, ""]);
  });

  it("§7A G57: what is missing, or outside the role's prefix, is 404 as problem+json", async () => {
    for (const key of ["missing.png", "..%2Fprivate.png"]) {
      const answer = await get(key, { accept: "image/avif,image/png" });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([
        404,
        "application/problem+json",
      ]);
    }
  });
});
