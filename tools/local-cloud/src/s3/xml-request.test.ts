import { expect, test } from "vitest";

import * as XmlRequest from "./xml-request.ts";

const keyOf = (source: string) => {
  const root = XmlRequest.parse(source);
  return root && XmlRequest.child(root, "Key")?.text;
};
const nested = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);

test.each([
  [
    "a declaration, a namespace and line breaks",
    '<?xml version="1.0" encoding="UTF-8"?>\n<Object xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n<Key>a b</Key>\n</Object>\n',
    "a b",
  ],
  ["a byte order mark", "\uFEFF<Object><Key>k</Key></Object>", "k"],
  [
    "entities",
    "<Object><Key>&lt;&amp;&gt;&quot;&apos;&#xD;&#10;&#x1F642;</Key></Object>",
    "<&>\"'\r\n🙂",
  ],
  ["escaped entities", "<Object><Key>&amp;lt;</Key></Object>", "&lt;"],
  ["character data", "<Object><Key>a<![CDATA[<b>&amp;]]></Key></Object>", "a<b>&amp;"],
  ["a comment", "<Object><!-- <Key>no</Key> --><Key>k</Key></Object>", "k"],
  ["spaces at both ends", "<Object><Key> k </Key></Object>", " k "],
  ["a number with zeros", "<Object><Key>007</Key></Object>", "007"],
  [
    "the name of a property of all objects",
    "<Object><constructor>x</constructor><Key>k</Key></Object>",
    "k",
  ],
  ["no text", "<Object><Key/></Object>", ""],
])("a document with %s is read", (_, source, key) => expect(keyOf(source)).toBe(key));

test.each([
  ["nothing", ""],
  ["only text", "k"],
  ["an element that is not closed", "<Object><Key>k</Object>"],
  ["a root that is not closed", "<Object>"],
  ["two roots", "<Object/><Object/>"],
  ["text after the root", "<Object/>k"],
  ["a document type", '<!DOCTYPE Object [<!ENTITY e "k">]><Object><Key>&e;</Key></Object>'],
  ["an empty document type", "<!DOCTYPE Object><Object/>"],
  ["an unknown entity", "<Object><Key>&nope;</Key></Object>"],
  ["an ampersand that is not escaped", "<Object><Key>a&b</Key></Object>"],
  ["a character that XML does not have", "<Object><Key>&#0;</Key></Object>"],
  ["a control character", "<Object><Key>\u0001</Key></Object>"],
  ["a number beyond Unicode", "<Object><Key>&#x110000;</Key></Object>"],
  ["an attribute twice", '<Object a="1" a="2"/>'],
  ["an attribute without quotes", "<Object a=1/>"],
  ["nine levels", nested(9)],
  ["a hundred thousand levels", nested(100_000)],
])("a document with %s is refused", (_, source) =>
  expect(XmlRequest.parse(source)).toBeUndefined(),
);

test("eight levels are read", () => expect(XmlRequest.parse(nested(8))).toBeDefined());
