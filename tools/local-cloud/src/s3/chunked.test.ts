import { expect, test } from "vitest";

import { signingKey } from "../iam/signature-parts.ts";
import * as Chunked from "./chunked.ts";

// AWS's own examples: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
const scope = "20130524/us-east-1/s3/aws4_request";
const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", {
  service: "s3",
  region: "us-east-1",
});
const seedOf = (signature: string) => ({ key, date: "20130524T000000Z", scope, signature });
const data = "a".repeat(65_536 + 1024);

const frame = (signatures: string[], ending = "\r\n", body = data) =>
  Buffer.from(
    [body.slice(0, 65_536), body.slice(65_536), ""]
      .map(
        (chunk, index) =>
          `${chunk.length.toString(16)};chunk-signature=${signatures[index]}\r\n${chunk}${chunk && "\r\n"}`,
      )
      .join("") + ending,
  );

const signed = {
  framing: {
    seed: seedOf("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
    hasTrailer: false,
  },
  signatures: [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
};

const trailed = {
  framing: {
    seed: seedOf("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
    hasTrailer: true,
  },
  signatures: [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
  ],
  ending:
    "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
};

async function unframe(framed: Buffer, framing: Chunked.Framing, pieceSize = 4099) {
  const trailer = new Map<string, string>();
  async function* pieces() {
    for (let at = 0; at < framed.length; at += pieceSize) yield framed.subarray(at, at + pieceSize);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of Chunked.unframe(pieces(), framing, trailer)) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString(), trailer: Object.fromEntries(trailer) };
}

test.each([1, 85, 4099, 100_000])(
  "AWS's example of signed chunks is decoded, in pieces of %i bytes",
  async (size) => {
    expect((await unframe(frame(signed.signatures), signed.framing, size)).text === data).toBe(
      true,
    );
  },
);

test("AWS's example of a signed trailer is decoded", async () => {
  const { text, trailer } = await unframe(
    frame(trailed.signatures, trailed.ending),
    trailed.framing,
  );
  expect(text === data).toBe(true);
  expect(trailer).toEqual({ "x-amz-checksum-crc32c": "sOO8/Q==" });
});

const mismatch = { code: "SignatureDoesNotMatch" };

test("a changed byte, a swapped chunk signature or a changed trailer is refused", async () => {
  const changed = `${data.slice(0, 70_000 - 5000)}b${data.slice(70_000 - 4999)}`;
  await expect(
    unframe(frame(signed.signatures, "\r\n", changed), signed.framing),
  ).rejects.toMatchObject(mismatch);
  const [one, two, three] = signed.signatures;
  await expect(unframe(frame([two!, one!, three!]), signed.framing)).rejects.toMatchObject(
    mismatch,
  );
  const ending = trailed.ending.replace("sOO8", "sOO9");
  await expect(unframe(frame(trailed.signatures, ending), trailed.framing)).rejects.toMatchObject(
    mismatch,
  );
  const unsigned = "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
  await expect(unframe(frame(trailed.signatures, unsigned), trailed.framing)).rejects.toMatchObject(
    mismatch,
  );
});

test("a chunk header without an end is not read to its end", async () => {
  let sent = 0;
  const endless = async function* () {
    for (; sent < 1_000_000; sent += 1_000) yield Buffer.alloc(1_000, "0");
  };
  const chunks = Chunked.unframe(endless(), { hasTrailer: false }, new Map());
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "IncompleteBody",
  });
  expect(sent).toBeLessThan(10_000);
});

test("a body that ends early or has no chunks is incomplete", async () => {
  const whole = frame(signed.signatures);
  for (const end of [0, 50, 60_000, whole.length - 2])
    await expect(unframe(whole.subarray(0, end), signed.framing)).rejects.toMatchObject({
      code: "IncompleteBody",
    });
  await expect(
    unframe(Buffer.from("plain bytes\r\n"), { hasTrailer: false }),
  ).rejects.toMatchObject({ code: "IncompleteBody" });
  await expect(unframe(Buffer.from("3\r\nabc\r\n0\r\n\r\n"), signed.framing)).rejects.toMatchObject(
    { code: "IncompleteBody" },
  );
});
