import { S3Error } from "./s3-error.ts";

/** The fields of a form before its file, and the file's bytes as a stream. */
export type Form = {
  /** Names in lower case. */
  fields: Map<string, string>;
  filename: string;
  file: AsyncIterable<Buffer>;
};

/** Reads multipart/form-data as S3 does: the file comes last, what follows it is ignored. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html */
export async function read(
  contentType: string | undefined,
  source: AsyncIterable<Buffer>,
): Promise<Form> {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/is.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? plain;
  if (!boundary || boundary.length > 70) throw malformed();
  // the first boundary has no line break before it, so one is added
  const input = reader(source, Buffer.from("\r\n"));
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  await input.collect(delimiter, MAX_FIELD_BYTES);
  const fields = new Map<string, string>();
  let spent = 0;
  for (;;) {
    const rest = (await input.collect(LINE_BREAK, 256)).toString("latin1");
    if (rest.startsWith("--"))
      throw new S3Error("InvalidArgument", "POST requires exactly one file upload per request.", {
        ArgumentName: "file",
        ArgumentValue: "0",
      });
    const { name, filename } = disposition(await input.headers());
    if (name.toLowerCase() === "file") return { fields, filename, file: input.until(delimiter) };
    spent += Buffer.byteLength(name);
    const value = await input.collect(delimiter, MAX_FIELD_BYTES - spent);
    spent += value.length;
    if (fields.has(name.toLowerCase()))
      throw new S3Error("InvalidArgument", `Duplicate field ${name}`, { ArgumentName: name });
    fields.set(name.toLowerCase(), value.toString("utf8"));
  }
}

/** All that comes before the file. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
const MAX_FIELD_BYTES = 20 * 1024;
const LINE_BREAK = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");

function disposition(headers: string): { name: string; filename: string } {
  const line = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(headers)?.[1] ?? "";
  const parameter = (name: string) => {
    const [, quoted, plain] =
      new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, "i").exec(line) ?? [];
    // the characters that browsers escape: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    return (quoted ?? plain)?.replace(/%22|%0D|%0A/gi, decodeURIComponent);
  };
  const name = parameter("name");
  if (!name) throw malformed();
  return { name, filename: parameter("filename") ?? "" };
}

function reader(source: AsyncIterable<Buffer>, before: Buffer) {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = before;
  const more = async () => {
    const { value, done } = await chunks.next();
    if (done) throw malformed();
    held = Buffer.concat([held, value]);
  };
  const cut = (length: number) => {
    const piece = held.subarray(0, length);
    held = held.subarray(length);
    return piece;
  };

  /** All bytes before `mark`; `mark` is consumed as well. */
  const collect = async (mark: Buffer, limit: number): Promise<Buffer> => {
    let end = held.indexOf(mark);
    while (end < 0) {
      if (held.length > limit + mark.length) throw tooMuch();
      await more();
      end = held.indexOf(mark);
    }
    if (end > limit) throw tooMuch();
    const piece = cut(end);
    cut(mark.length);
    return piece;
  };

  return {
    collect,
    headers: async () => (await collect(BLANK_LINE, MAX_FIELD_BYTES)).toString("utf8"),
    async *until(mark: Buffer): AsyncIterable<Buffer> {
      for (;;) {
        const end = held.indexOf(mark);
        if (end >= 0) {
          if (end > 0) yield cut(end);
          break;
        }
        // the mark may begin at the end of the buffer
        const safe = held.length - mark.length + 1;
        if (safe > 0) yield cut(safe);
        await more();
      }
      for (let next = await chunks.next(); !next.done; next = await chunks.next());
    },
  };
}

const malformed = () =>
  new S3Error(
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  );

const tooMuch = () =>
  new S3Error(
    "MaxPostPreDataLengthExceeded",
    "Your POST request fields preceding the upload file were too large.",
    { MaxPostPreDataLengthBytes: String(MAX_FIELD_BYTES) },
  );
