import {
  assert,
  constantFrom,
  dictionary,
  integer,
  nat,
  property,
  string,
  webPath,
} from "fast-check";
import { expect, test } from "vitest";

import * as Signature from "./signature.ts";

const keys: Signature.Keys = { newest: "k2", secrets: { k1: "the old secret", k2: "the new one" } };
const now = 1_800_000_000;

const host = constantFrom("api.example", "127.0.0.1:4500");
const words = string({ minLength: 1, maxLength: 6 }).filter(
  (key) => !["sig", "kid", "exp", "__proto__"].includes(key),
);
const query = dictionary(words, string({ maxLength: 8 }), { maxKeys: 5 });
const life = integer({ min: 1, max: Signature.MAX_SECONDS });

/** The address as whoever was given it asks for it. */
function signed(address: Signature.Address, seconds = 60, by = keys): Signature.Address {
  const { exp, kid, sig } = Signature.sign(by, address, now + seconds);
  return { ...address, query: { ...address.query, exp: String(exp), kid, sig } };
}

test("what was signed is good until its time is over, in any order of its query", () =>
  assert(
    property(host, webPath(), query, life, nat(), (host, path, query, seconds, turn) => {
      const address = signed({ host, path, query }, seconds);
      const parts = Object.entries(address.query);
      const at = turn % parts.length;
      const other = Object.fromEntries([...parts.slice(at), ...parts.slice(0, at)].toReversed());
      for (const asked of [
        address,
        { ...address, query: other },
        { ...address, host: host.toUpperCase() },
      ]) {
        expect(Signature.check(keys, asked, now + seconds - 1)).toBe("good");
        expect(Signature.check(keys, asked, now + seconds)).toBe("expired");
      }
    }),
  ));

const letters = "abcXYZ019-_./=&?% \u00e9".split("");

/** A text with one character put in, taken out or changed. */
function changed(text: string, at: number, letter: string, how: "in" | "out" | "over") {
  const where = at % (text.length + 1);
  const rest = how === "in" ? where : where + 1;
  return text.slice(0, where) + (how === "out" ? "" : letter) + text.slice(rest);
}

test("no character of it can be changed, put in or taken out", () =>
  assert(
    property(
      webPath(),
      query,
      nat(),
      nat(),
      constantFrom(...letters),
      constantFrom("in", "out", "over"),
      (path, query, part, at, letter, how) => {
        const address = signed({ host: "api.example", path, query });
        const change = (text: string) => changed(text, at, letter, how);
        const pairs = Object.entries(address.query);
        const [key, value] = pairs[part % pairs.length]!;
        const rest = Object.fromEntries(pairs.filter(([other]) => other !== key));
        const others: Signature.Address[] = [
          { ...address, host: change(address.host) },
          { ...address, path: change(path) },
          { ...address, query: { ...address.query, [key]: change(value) } },
          { ...address, query: { ...rest, [change(key)]: value } },
          { ...address, query: rest },
          { ...address, query: { ...address.query, [`${key}+`]: value } },
        ];
        for (const other of others) {
          if (isSame(other, address)) continue;
          expect(Signature.check(keys, other, now)).toBe("wrong");
        }
      },
    ),
    { numRuns: 1_000 },
  ));

const isSame = (one: Signature.Address, other: Signature.Address) => {
  const text = ({ host, path, query }: Signature.Address) =>
    JSON.stringify([host.toLowerCase(), path, Object.entries(query).map(String).toSorted()]);
  return text(one) === text(other);
};

test("parts that only look alike when they are joined are different addresses", () => {
  const of = (path: string, query: Record<string, string>) =>
    Signature.sign(keys, { host: "a", path, query }, now).sig;
  const all = [
    of("/i/x", { w: "1", h: "2" }),
    of("/i/x", { w: "1&h=2" }),
    of("/i/x", { "w=1&h": "2" }),
    of("/i/x\nw", { w: "1", h: "2" }),
    of('/i/x",[["w","1"', { h: "2" }),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test("the newest key signs, an older one is good as long as it is there", () => {
  const address = { host: "a", path: "/i/x", query: {} };
  const before: Signature.Keys = { ...keys, newest: "k1" };
  expect(signed(address).query["kid"]).toBe("k2");
  expect(Signature.check(keys, signed(address, 60, before), now)).toBe("good");
  const after: Signature.Keys = { newest: "k2", secrets: { k2: keys.secrets["k2"]! } };
  expect(Signature.check(after, signed(address, 60, before), now)).toBe("wrong");
  for (const kid of ["toString", "__proto__", ""]) {
    const claimed = signed(address);
    expect(Signature.check(keys, { ...claimed, query: { ...claimed.query, kid } }, now)).toBe(
      "wrong",
    );
  }
});

test("nobody has a signature for longer than a week, whatever it says", () => {
  const address = { host: "a", path: "/i/x", query: {} };
  const long = signed(address, Signature.MAX_SECONDS + 301);
  expect(Signature.check(keys, long, now)).toBe("wrong");
  expect(Signature.check(keys, long, now + 1)).toBe("good");
});

test("a signature that was made up does not learn that it is old", () => {
  const old = signed({ host: "a", path: "/i/x", query: {} }, -10);
  expect(Signature.check(keys, old, now)).toBe("expired");
  const query = { ...old.query, sig: "A".repeat(43) };
  expect(Signature.check(keys, { ...old, query }, now)).toBe("wrong");
});
