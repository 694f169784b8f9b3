import {
  array,
  assert,
  constantFrom,
  dictionary,
  integer,
  nat,
  property,
  string,
} from "fast-check";
import { expect, test } from "vitest";

import * as Signature from "./signature.ts";

const keys: Signature.SigningKeys = {
  newest: "k2",
  secrets: { k1: "the old secret", k2: "the new one" },
};
const now = 1_800_000_000;

const host = constantFrom("api.example", "127.0.0.1:4500");
const queryKeys = string({ minLength: 1, maxLength: 6 }).filter(
  (key) => !["sig", "kid", "exp", "__proto__"].includes(key),
);
const query = dictionary(queryKeys, string({ maxLength: 8 }), { maxKeys: 5 });
// not fast-check's webPath, whose first value takes two seconds
const urlPath = array(string({ maxLength: 8 }).map(encodeURIComponent), { maxLength: 4 }).map(
  (segments) => ["", ...segments].join("/"),
);
const lifetime = integer({ min: 1, max: Signature.MAX_LIFETIME_SECONDS });

/** The request for a signed URL. */
function signed(
  request: Signature.SignedRequest,
  seconds = 60,
  by = keys,
): Signature.SignedRequest {
  const { exp, kid, sig } = Signature.sign(by, request, now + seconds);
  return { ...request, query: { ...request.query, exp: String(exp), kid, sig } };
}

test("a signed request is valid until it expires, in any order of its query and any case of its host", () =>
  assert(
    property(host, urlPath, query, lifetime, nat(), (host, path, query, seconds, turn) => {
      const request = signed({ host, path, query }, seconds);
      const parts = Object.entries(request.query);
      const at = turn % parts.length;
      const other = Object.fromEntries([...parts.slice(at), ...parts.slice(0, at)].toReversed());
      for (const sent of [
        request,
        { ...request, query: other },
        { ...request, host: host.toUpperCase() },
      ]) {
        expect(Signature.verify(keys, sent, now + seconds - 1)).toBe("valid");
        expect(Signature.verify(keys, sent, now + seconds)).toBe("expired");
      }
    }),
  ));

const letters = "abcXYZ019-_./=&?% \u00e9".split("");

/** A text with one character inserted, removed or replaced. */
function changed(text: string, at: number, letter: string, how: "insert" | "remove" | "replace") {
  const where = at % (text.length + 1);
  const rest = how === "insert" ? where : where + 1;
  return text.slice(0, where) + (how === "remove" ? "" : letter) + text.slice(rest);
}

test("a request with one character changed, inserted or removed is invalid", () =>
  assert(
    property(
      urlPath,
      query,
      nat(),
      nat(),
      constantFrom(...letters),
      constantFrom("insert", "remove", "replace"),
      (path, query, part, at, letter, how) => {
        const request = signed({ host: "api.example", path, query });
        const change = (text: string) => changed(text, at, letter, how);
        const pairs = Object.entries(request.query);
        const [key, value] = pairs[part % pairs.length]!;
        const rest = Object.fromEntries(pairs.filter(([other]) => other !== key));
        const others: Signature.SignedRequest[] = [
          { ...request, host: change(request.host) },
          { ...request, path: change(path) },
          { ...request, query: { ...request.query, [key]: change(value) } },
          { ...request, query: { ...rest, [change(key)]: value } },
          { ...request, query: rest },
          { ...request, query: { ...request.query, [`${key}+`]: value } },
        ];
        for (const other of others) {
          if (isSame(other, request)) continue;
          expect(Signature.verify(keys, other, now)).toBe("invalid");
        }
      },
    ),
    { numRuns: 1_000 },
  ));

const isSame = (one: Signature.SignedRequest, other: Signature.SignedRequest) => {
  const text = ({ host, path, query }: Signature.SignedRequest) =>
    JSON.stringify([host.toLowerCase(), path, Object.entries(query).map(String).toSorted()]);
  return text(one) === text(other);
};

test("requests whose parts are equal only when joined have different signatures", () => {
  const signatureOf = (path: string, query: Record<string, string>) =>
    Signature.sign(keys, { host: "a", path, query }, now).sig;
  const all = [
    signatureOf("/i/x", { w: "1", h: "2" }),
    signatureOf("/i/x", { w: "1&h=2" }),
    signatureOf("/i/x", { "w=1&h": "2" }),
    signatureOf("/i/x\nw", { w: "1", h: "2" }),
    signatureOf('/i/x",[["w","1"', { h: "2" }),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test("the newest key signs, and every other key stays valid until it is removed", () => {
  const request = { host: "a", path: "/i/x", query: {} };
  const before: Signature.SigningKeys = { ...keys, newest: "k1" };
  expect(signed(request).query["kid"]).toBe("k2");
  expect(Signature.verify(keys, signed(request, 60, before), now)).toBe("valid");
  const after: Signature.SigningKeys = { newest: "k2", secrets: { k2: keys.secrets["k2"]! } };
  expect(Signature.verify(after, signed(request, 60, before), now)).toBe("invalid");
  for (const kid of ["toString", "__proto__", ""]) {
    const claimed = signed(request);
    expect(Signature.verify(keys, { ...claimed, query: { ...claimed.query, kid } }, now)).toBe(
      "invalid",
    );
  }
});

test("a signature that is valid for more than a week is invalid", () => {
  const request = { host: "a", path: "/i/x", query: {} };
  const long = signed(request, Signature.MAX_LIFETIME_SECONDS + 301);
  expect(Signature.verify(keys, long, now)).toBe("invalid");
  expect(Signature.verify(keys, long, now + 1)).toBe("valid");
});

test("only a correct signature can be expired; a forged one with an old date is invalid", () => {
  const old = signed({ host: "a", path: "/i/x", query: {} }, -10);
  expect(Signature.verify(keys, old, now)).toBe("expired");
  const query = { ...old.query, sig: "A".repeat(43) };
  expect(Signature.verify(keys, { ...old, query }, now)).toBe("invalid");
});
