import { randomUUID } from "node:crypto";

import { valueAt } from "./matcher.ts";

/** Returns the body and the content type of a form as browsers send it, with the file last. https://datatracker.ietf.org/doc/html/rfc7578 */
export function multipart(
  { fields, fileBase64 }: { fields: string; fileBase64: string },
  saved: object,
): { body: Buffer; type: string } {
  const boundary = randomUUID();
  const part = (name: string, parameters = "") =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${parameters}\r\n\r\n`;
  const values = Object.entries(valueAt(saved, `/${fields}`) as Record<string, string>);
  const body = Buffer.concat([
    ...values.map(([name, value]) => Buffer.from(`${part(name)}${value}\r\n`)),
    Buffer.from(part("file", `; filename="file"`)),
    Buffer.from(fileBase64, "base64"),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}
