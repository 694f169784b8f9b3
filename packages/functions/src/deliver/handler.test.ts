import { Writable } from "node:stream";

import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { beforeAll, expect, test, vi } from "vitest";

// The stream that Lambda gives a handler, as its runtime client builds it: the prelude is sent with the first write.
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/HttpResponseStream.js
type Prelude = { statusCode: number; headers: Record<string, string> };
class Received extends Writable {
  prelude: Prelude | undefined;
  sent: Prelude | undefined;
  readonly chunks: Buffer[] = [];
  override write(chunk: unknown): boolean {
    this.sent = this.prelude;
    return super.write(chunk);
  }
  override _write(chunk: Buffer, _: string, done: () => void) {
    this.chunks.push(chunk);
    done();
  }
}

let handler: (event: APIGatewayProxyEvent, stream: Received, context: Context) => unknown;
beforeAll(async () => {
  const HttpResponseStream = {
    from: (stream: Received, prelude: Prelude) => Object.assign(stream, { prelude }),
  };
  Object.assign(globalThis, {
    awslambda: { streamifyResponse: (it: unknown) => it, HttpResponseStream },
  });
  handler = (await import("./handler.ts")).handler as unknown as typeof handler;
});

const context = { getRemainingTimeInMillis: () => 28_000 };

async function invoke(httpMethod: string, query: Record<string, string[]>, path: object = {}) {
  const stream = new Received();
  const event = {
    httpMethod,
    pathParameters: { id: "img_unknown", ...path },
    multiValueQueryStringParameters: query,
    multiValueHeaders: { Accept: ["image/webp", "*/*"] },
    requestContext: { requestId: "r-7" },
  };
  await handler(event as unknown as APIGatewayProxyEvent, stream, context as Context);
  return {
    ...stream.sent,
    ended: stream.writableFinished,
    body: Buffer.concat(stream.chunks).toString(),
  };
}

test("a problem names every wrong key of the query, also one that is given twice", async () => {
  const { statusCode, headers, body, ended } = await invoke("GET", { w: ["1", "2"], no: ["x"] });
  expect([statusCode, ended]).toEqual([400, true]);
  expect(headers).toMatchObject({
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
  });
  expect(JSON.parse(body)).toMatchObject({
    requestId: "r-7",
    errors: [{ parameter: "w", value: "1 and 2" }, { parameter: "no" }],
  });
});

test.each([
  ["a revision", { rev: "0123456789ab" }, "image.not_found"],
  ["a preset", { rev: "tile" }, "image.not_found"],
  ["a revision and a preset", { rev: "0123456789ab", preset: "tile" }, "image.not_found"],
  [
    "a preset in the place of a revision, before a preset",
    { rev: "poster", preset: "tile" },
    "image.not_found",
  ],
  ["what is neither a revision nor a preset", { rev: "poster" }, "delivery.no_such_preset"],
  [
    "an unknown preset after a revision",
    { rev: "0123456789ab", preset: "x" },
    "delivery.no_such_preset",
  ],
])("the path after the id is understood: %s", async (_, path, code) => {
  vi.stubEnv("SST_RESOURCE_Presets", JSON.stringify({ queries: { tile: "w=9" } }));
  const { statusCode, body } = await invoke("GET", {}, path);
  expect([statusCode, JSON.parse(body).code]).toEqual([404, code]);
});

test("the response to HEAD has no body", async () => {
  const { statusCode, body, ended } = await invoke("HEAD", {});
  expect([statusCode, body, ended]).toEqual([404, "", true]);
});
