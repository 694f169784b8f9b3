import { Writable } from "node:stream";

import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { beforeAll, expect, test } from "vitest";

// The stream that Lambda hands to a handler, as its runtime client builds it: the prelude leaves with the first write.
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
  handler = (await import("./deliver.ts")).handler as unknown as typeof handler;
});

async function called(httpMethod: string, query: Record<string, string[]>) {
  const stream = new Received();
  const event = {
    httpMethod,
    pathParameters: { id: "img_nobody" },
    multiValueQueryStringParameters: query,
    multiValueHeaders: { Accept: ["image/webp", "*/*"] },
    requestContext: { requestId: "r-7" },
  };
  await handler(event as unknown as APIGatewayProxyEvent, stream, {} as Context);
  return {
    ...stream.sent,
    ended: stream.writableFinished,
    body: Buffer.concat(stream.chunks).toString(),
  };
}

test("a doubled key is seen, and everything that is wrong is answered as a problem", async () => {
  const { statusCode, headers, body, ended } = await called("GET", { w: ["1", "2"], no: ["x"] });
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

test("HEAD has status and headers, and no body", async () => {
  const { statusCode, body, ended } = await called("HEAD", {});
  expect([statusCode, body, ended]).toEqual([404, "", true]);
});
