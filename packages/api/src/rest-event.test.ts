import { expect, test } from "vitest";

import { restEvent } from "../test/rest-event.ts";
import { serve, toRequest } from "./rest-event.ts";

test("the query that the gateway has decoded is encoded again", () => {
  const event = restEvent("GET", "/v1/images", {
    query: { tag: ["a b", "c&d"], cursor: ["x+y/z="] },
  });
  const { searchParams } = new URL(toRequest(event).url);
  expect(searchParams.getAll("tag")).toEqual(["a b", "c&d"]);
  expect(searchParams.get("cursor")).toBe("x+y/z=");
});

test("a path keeps its percent-encoding", () => {
  const event = restEvent("GET", "/v1/images/a%2Fb");
  expect(new URL(toRequest(event).url).pathname).toBe("/v1/images/a%2Fb");
});

test("a header is found in any case, and with all its values", () => {
  const request = toRequest(
    restEvent("GET", "/", { headers: { "IF-none-Match": ['"a"', '"b"'] } }),
  );
  expect(request.headers.get("if-none-match")).toBe('"a", "b"');
});

test("a body in base64 is decoded to bytes", async () => {
  const bytes = Buffer.from([0, 255, 137, 80]);
  const event = {
    ...restEvent("POST", "/"),
    body: bytes.toString("base64"),
    isBase64Encoded: true,
  };
  expect(Buffer.from(await toRequest(event).arrayBuffer())).toEqual(bytes);
});

test("a response has no key that a REST API rejects", async () => {
  const handler = serve({
    fetch: () => Response.json({ a: 1 }, { status: 201, headers: { etag: '"v1"' } }),
  });
  expect(await handler(restEvent("GET", "/"))).toEqual({
    statusCode: 201,
    headers: { "content-type": "application/json", etag: '"v1"' },
    body: '{"a":1}',
    isBase64Encoded: false,
  });
});
