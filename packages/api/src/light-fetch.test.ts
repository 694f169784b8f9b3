import { array, assert, asyncProperty, constantFrom, property, string, tuple } from "fast-check";
import { expect, test } from "vitest";

import "./light-fetch.ts";

const { LightHeaders, LightRequest, LightResponse } = globalThis as unknown as {
  LightHeaders: typeof Headers;
  LightRequest: typeof Request;
  LightResponse: typeof Response;
};

const name = constantFrom("ETag", "etag", "Vary", "X-One", "x-one", "Set-Cookie");
const value = constantFrom("a", " b ", "c, d", '"v1"', "");
const change = tuple(constantFrom("set", "append", "delete"), name, value);

const apply = (headers: Headers, changes: [string, string, string][]) => {
  for (const [verb, key, text] of changes) {
    if (verb === "set") headers.set(key, text);
    else if (verb === "append") headers.append(key, text);
    else headers.delete(key);
  }
  return {
    pairs: [...headers],
    etag: headers.get("etag"),
    has: headers.has("VARY"),
    cookies: headers.getSetCookie(),
  };
};

test("LightHeaders equal undici's Headers after any changes", () => {
  assert(
    property(array(change), (changes) => {
      expect(apply(new LightHeaders(), changes)).toEqual(apply(new Headers(), changes));
    }),
  );
});

test("a header with a line break is rejected, as in undici", () => {
  for (const Class of [Headers, LightHeaders]) {
    expect(() => new Class({ link: "a\r\nset-cookie: b" })).toThrow(TypeError);
  }
});

test("a LightResponse equals undici's Response", async () => {
  const text = constantFrom("", "héllo", '{"a":1}').map((body) => body as string | null);
  await assert(
    asyncProperty(
      text,
      constantFrom(200, 201, 404),
      constantFrom<Record<string, string>[]>({}, { "x-one": "1" }),
      async (body, status, headers) => {
        const [light, real] = [LightResponse, Response].map(
          (Class) => new Class(body, { status, headers }),
        );
        expect([light!.status, light!.ok, [...light!.headers], await light!.text()]).toEqual([
          real!.status,
          real!.ok,
          [...real!.headers],
          await real!.text(),
        ]);
      },
    ),
  );
});

test("a LightResponse made from another keeps its status and headers", () => {
  const first = new LightResponse("no", { status: 404, headers: { etag: '"v1"' } });
  const second = new LightResponse(first.body, first);
  expect([second.status, second.headers.get("etag")]).toEqual([404, '"v1"']);
});

test("a LightRequest returns every byte of its body", async () => {
  await assert(
    asyncProperty(string({ unit: "binary" }), async (text) => {
      const bytes = Buffer.from(text);
      const request = new LightRequest("https://a.b/c", { method: "POST", body: bytes });
      expect(Buffer.from(await request.arrayBuffer()).equals(bytes)).toBe(true);
      expect(await request.text()).toBe(
        await new Request("https://a.b/c", { method: "POST", body: bytes }).text(),
      );
    }),
  );
});
