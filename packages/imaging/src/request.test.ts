import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod/mini";

import { anyRequest } from "../test/arbitraries.ts";
import { Refusal } from "./refusal.ts";
import * as Request from "./request.ts";

const anySignature: fc.Arbitrary<Request.Signature> = fc.record({
  exp: fc.integer({ min: 1e9, max: 1e10 - 1 }),
  kid: fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
  sig: fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString("base64url")),
});

/** A query as API Gateway passes it: decoded, each key with all its values. */
function received(query: string): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const [key, value] of new URLSearchParams(query)) (values[key] ??= []).push(value);
  return values;
}

test("parsing the printed query gives the same request and signature", () =>
  fc.assert(
    fc.property(anyRequest, fc.option(anySignature, { nil: undefined }), (request, signature) => {
      const query = received(Request.print(request, signature));
      expect(Request.parse(query)).toEqual({ request, signature });
    }),
    { numRuns: 500 },
  ));

test("a number with more digits than the grammar has is printed with the digits that it has", () => {
  const request = z.parse(Request.UrlRequest, {
    pos: { x: 0.1 + 0.2, y: 1 - 0.9 },
    dpr: 1.1 + 2.2,
    blur: 0.1 + 0.2,
    sharpen: 0.1 * 3,
    trim: -0,
  });
  expect(Request.print(request)).toBe("dpr=3.3&pos=0.3,0.1&trim=0&blur=0.3&sharpen=0.3");
});

test("what a schema of JSON accepts can be printed and parsed, whatever its texts and numbers are", () => {
  const unit = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0xd7f0, max: 0xe010 }),
  );
  const text = fc
    .array(unit, { minLength: 1, maxLength: 9 })
    .map((units) => String.fromCharCode(...units));
  const decimal = fc.tuple(fc.nat(4_000), fc.nat(9)).map(([a, b]) => a * 0.001 + b * 0.1);
  const fraction = fc.tuple(fc.nat(9_999), fc.nat(9)).map(([a, b]) => a * 0.0001 * (b / 10));
  const body = fc.record(
    {
      dl: text,
      dpr: decimal,
      blur: decimal,
      sharpen: decimal,
      pos: fc.record({ x: fraction, y: fraction }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, (given) => {
      const { success, data } = z.safeParse(Request.UrlRequest, given);
      fc.pre(success);
      const { request } = Request.parse(received(Request.print(data!)));
      expect(request.dl).toBe(given.dl);
      expect(Math.abs((request.dpr ?? 0) - (given.dpr ?? 0))).toBeLessThan(1e-9);
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ dpr: ["1.100000023841858"] }, { dpr: 1.1 }],
  [{ dpr: ["0.8999999761581421"] }, { dpr: 1 }],
  [{ dpr: ["5"] }, { dpr: 4 }],
  [
    { w: ["320.5"], h: ["213.33333333333334"] },
    { w: 321, h: 213 },
  ],
  [{ pos: ["0.3333333333333333,1e-7"] }, { pos: { x: 0.3333, y: 0 } }],
  [{ crop: ["10.5,0.4,99.5,50.7"] }, { crop: { x: 11, y: 0, w: 99, h: 51 } }],
  [
    { q: ["82.4"], trim: ["9.7"], blur: ["2.00049"] },
    { q: 82, trim: 10, blur: 2 },
  ],
  [{ bg: ["#ff0000"] }, { bg: "ff0000" }],
  [{ bg: ["#F80"] }, { bg: "ff8800" }],
])(
  "numbers with more digits than the grammar has are rounded, and a colour may have its #: %j",
  (query, request) => {
    expect(Request.parse(query).request).toEqual(request);
  },
);

test.each([
  { w: ["0"] },
  { w: ["0.4"] },
  { w: ["4096.6"] },
  { q: ["101"] },
  { bg: ["#red"] },
  { bg: ["#white"] },
  { dpr: ["x"] },
  { dpr: ["1."] },
])("a value outside its limits is still refused: %j", (query) => {
  expect(() => Request.parse(query)).toThrow(Refusal);
});

test("half of a surrogate pair is not a file name", () => {
  for (const dl of ["\ud83d", "a\udc1f", "\udc1f\ud83d"])
    expect(z.safeParse(Request.UrlRequest, { dl }).success).toBe(false);
  // right-to-left override, a line of its own, the second control characters, a mark of byte order
  for (const dl of ["\u202egpj.exe", "a\u2028b", "a\u0085b", "\ufeffa"])
    expect(z.safeParse(Request.UrlRequest, { dl }).success).toBe(false);
  expect(z.safeParse(Request.UrlRequest, { dl: "🐟.jpg" }).success).toBe(true);
});

test("the order of the keys does not change the request", () =>
  fc.assert(
    fc.property(anyRequest, fc.nat(), (request, offset) => {
      const pairs = Request.print(request).split("&");
      const reordered = [
        ...pairs.slice(offset % pairs.length),
        ...pairs.slice(0, offset % pairs.length),
      ];
      expect(Request.parse(received(reordered.join("&"))).request).toEqual(request);
    }),
  ));

test("the signed text is the printed query without sig", () =>
  fc.assert(
    fc.property(anyRequest, anySignature, (request, { sig, ...claims }) => {
      const signed = [Request.print(request, claims), `sig=${sig}`].join("&");
      expect(Request.print(request, { ...claims, sig })).toBe(signed);
    }),
  ));

test("a signature is complete or absent, and only its canonical encoding is accepted", () => {
  const sig = Buffer.alloc(32, 7).toString("base64url");
  const whole = { exp: ["1900000000"], kid: ["k1"], sig: [sig] };
  for (const key of ["exp", "kid", "sig"] as const)
    expect(refusal({ ...whole, [key]: undefined }).problems).toEqual([
      { key, value: "", detail: "is missing; exp, kid, sig come together" },
    ]);
  expect(refusal({ ...whole, sig: [sig, sig] }).problems).toMatchObject([{ key: "sig" }]);
  const respelled = `${sig.slice(0, -1)}d`;
  expect(Buffer.from(respelled, "base64url").equals(Buffer.from(sig, "base64url"))).toBe(true);
  expect(refusal({ ...whole, sig: [respelled] }).problems).toMatchObject([{ key: "sig" }]);
});

test("two spellings of one colour give equal requests", () => {
  expect(Request.parse({ bg: ["FA0"] })).toEqual(Request.parse({ bg: ["ffaa00"] }));
  expect(Request.parse({ bg: ["white"] })).toEqual(Request.parse({ bg: ["fff"] }));
});

test("all problems are reported at once, each with its value and the allowed values", () => {
  const error = refusal({ w: ["0"], width: ["3"], q: ["50", "60"], fit: ["crop"], h: ["20"] });
  expect(error).toMatchObject({ kind: "invalid", code: "delivery.invalid_query" });
  expect(error.problems).toEqual([
    { key: "width", value: "3", detail: expect.stringContaining("allowed are w, h, ar, dpr") },
    { key: "q", value: "50 and 60", detail: expect.stringContaining("more than once") },
    { key: "w", value: "0", detail: expect.stringContaining("whole number 1..4096") },
    { key: "fit", value: "crop", detail: expect.stringContaining("cover, contain, fill") },
  ]);
});

test.each([
  ["w", ["", "-1", "4097", "1e3", "0x10", " 5", "٣", "NaN", "Infinity"]],
  ["dpr", ["-1", "2,5", "2.", "1e3", "99999"]],
  ["pos", ["middle", "0.5", "0.5,1.1", "-0.1,0", "0.5,0.5,0.5", "a,b"]],
  ["crop", ["1,2,3", "0,0,0,5", "-1,0,5,5", "1,2,3,4,5", "0,0,40000,1"]],
  ["rot", ["45", "-90", "360"]],
  ["flip", ["x", "vh", ""]],
  ["up", ["yes", "true", "2"]],
  ["trim", ["101", "-1"]],
  ["bg", ["red", "##ffffff", "12345", "gggggg"]],
  ["blur", ["0", "101", "0.2"]],
  ["sharpen", ["0", "11"]],
  ["f", ["jpg", "heic", "AVIF"]],
  ["meta", ["all", "exif", ""]],
  ["q", ["0", "101", "high", "7."]],
  ["exp", ["", "0", "999999999", "01900000000", "19e8", "10000000000"]],
  ["kid", ["", "a b", "x".repeat(33), "a/b"]],
  ["sig", ["", "x".repeat(42), "x".repeat(44), "!".repeat(43)]],
  ["dl", ["", "a/b", 'a"b', "a\nb", "a\\b", "x".repeat(121)]],
])("%s refuses the values %j", (key, values) => {
  for (const value of values) {
    const { problems } = refusal({ [key]: [value] });
    expect(problems?.filter(({ detail }) => !detail.startsWith("is missing"))).toMatchObject([
      { key },
    ]);
  }
});

test("every key has a description of its allowed values", () => {
  for (const key of Request.keys) expect(Request.allowed(key)).toMatch(/\w{3}/);
});

test("names of Object.prototype are unknown keys", () => {
  expect(refusal({ constructor: ["1"] }).problems).toMatchObject([{ key: "constructor" }]);
  expect(refusal(JSON.parse('{"__proto__":["1"]}')).problems).toMatchObject([{ key: "__proto__" }]);
});

function refusal(query: Parameters<typeof Request.parse>[0]): Refusal {
  try {
    Request.parse(query);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("the query was accepted; a refusal was expected");
}

test.each([
  ["16:9", "16:9"],
  ["16/9", "16:9"],
  ["32:18", "16:9"],
  ["1.50:1", "3:2"],
  ["0.5:1", "1:2"],
  ["1.91:1", "191:100"],
  ["12345.6789/1", "12345.6789:1"],
])("ar=%s is read as %s, and so is a request that has it", (written, meant) => {
  const { request } = Request.parse({ ar: [written] });
  expect(request.ar).toBe(meant);
  expect(Request.texts({ ar: written }).ar).toBe(meant);
  expect(Request.parse({ ar: [meant] }).request).toEqual(request);
});
