import { expect, test } from "vitest";

import * as FormParser from "./form-parser.ts";

const part = (name: string, value: string, more = "") =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const file = `${part("file", "data", '; filename="x"')}--b--\r\n`;
const key = part("key", "k");
const TYPE = "multipart/form-data; boundary=b";

async function* inPieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readForm(text: string, size = 65_536, type: string | undefined = TYPE) {
  const form = await FormParser.read(type, inPieces(text, size));
  const chunks: Buffer[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  const content = Buffer.concat(chunks).toString();
  return { fields: Object.fromEntries(form.fields), filename: form.filename, content };
}

const simple = { fields: { key: "k" }, filename: "x", content: "data" };

test.each([
  ["fields and a file", key + file, simple],
  ["text before the first boundary", `text\r\n${key}${file}`, simple],
  ["spaces after a boundary", key.replace("--b", "--b  ") + file, simple],
  [
    "fields after the file",
    key + file.replace("--b--\r\n", `${part("key", "l")}--b--\r\n`),
    simple,
  ],
  ["a file without a name", `${key}${part("file", "data")}--b--`, { ...simple, filename: "" }],
  ["a file called FILE", key + file.replace("file", "FILE"), simple],
  ["a field with a file name", part("key", "k", '; filename="y"') + file, simple],
  [
    "a field of bytes",
    key.replace("\r\n\r\n", "\r\nContent-Type: application/octet-stream\r\n\r\n") + file,
    simple,
  ],
  ["an empty file", key + file.replace("\r\ndata\r\n", "\r\n\r\n"), { ...simple, content: "" }],
  [
    "other alphabets",
    part("ключ", "né") + file.replace('"x"', '"né 🙂.png"'),
    { ...simple, fields: { ключ: "né" }, filename: "né 🙂.png" },
  ],
  [
    "characters that browsers escape",
    part("a%22b", "k") + file.replace('"x"', '"100%25 %22.png"'),
    { ...simple, fields: { 'a"b': "k" }, filename: '100%25 ".png' },
  ],
])("a form with %s is read, in pieces of any size", async (_, text, form) => {
  for (const size of [1, 7, 65_536]) expect(await readForm(text, size)).toEqual(form);
});

test.each([
  ["no file", `${key}--b--\r\n`, "InvalidArgument"],
  ["a field twice", part("key", "k") + part("KEY", "l") + file, "InvalidArgument"],
  ["a part without a disposition", `--b\r\nX: y\r\n\r\nv\r\n${file}`, "MalformedPOSTRequest"],
  ["a part without a name", key.replace('; name="key"', "") + file, "MalformedPOSTRequest"],
  ["an end within a field", key.slice(0, -2), "MalformedPOSTRequest"],
  ["an end within the file", key + file.slice(0, -8), "MalformedPOSTRequest"],
  [
    "headers of more than 20 KiB in a part",
    key.replace("\r\n", `\r\nX: ${"y".repeat(20_480)}\r\n`) + file,
    "MaxPostPreDataLengthExceeded",
  ],
])("a form with %s is refused, in pieces of any size", async (_, text, code) => {
  for (const size of [1, 7, 65_536])
    await expect(readForm(text, size)).rejects.toMatchObject({ code });
});

test("names and values of all fields may have 20 KiB together", async () => {
  const code = "MaxPostPreDataLengthExceeded";
  const fits = "x".repeat(20_480 - "key".length);
  expect((await readForm(part("key", fits) + file)).fields).toEqual({ key: fits });
  await expect(readForm(part("key", `${fits}x`) + file)).rejects.toMatchObject({ code });
  const two = part("key", fits.slice(10)) + part("other", "12345");
  expect((await readForm(two + file)).content).toBe("data");
  const tooMuch = part("key", fits.slice(10)) + part("other", "123456");
  await expect(readForm(tooMuch + file)).rejects.toMatchObject({ code });
});

test.each(["text before the first boundary", "a field", "a header"])(
  "%s without an end is not read to its end",
  async (where) => {
    const start = { "a field": key.slice(0, -4), "a header": "--b\r\nX: " }[where] ?? "text";
    let sent = 0;
    const endless = async function* () {
      yield Buffer.from(start);
      for (; sent < 1_000_000; sent += 1_000) yield Buffer.alloc(1_000, "a");
    };
    await expect(FormParser.read(TYPE, endless())).rejects.toMatchObject({
      code: "MaxPostPreDataLengthExceeded",
    });
    expect(sent).toBeLessThan(25_000);
  },
);

test.each([
  ["no type", undefined],
  ["another type", "application/json; boundary=b"],
  ["no boundary", "multipart/form-data"],
  ["an empty boundary", "multipart/form-data; boundary="],
  ["a boundary of 71 characters", `multipart/form-data; boundary=${"b".repeat(71)}`],
])("a form with %s is refused", async (_, type) => {
  await expect(FormParser.read(type, inPieces(key + file, 65_536))).rejects.toMatchObject({
    code: "MalformedPOSTRequest",
  });
});

test("a quoted boundary is read", async () => {
  expect(await readForm(key + file, 7, 'multipart/form-data; charset=utf-8; boundary="b"')).toEqual(
    simple,
  );
});
