import { createHash, createHmac } from "node:crypto";
import * as Http from "node:http";
import * as Https from "node:https";

import type { Request, Sign } from "./case.ts";
import { multipart } from "./multipart.ts";
import type { Target } from "./target.ts";

export type ReceivedResponse = {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  seconds: number;
};

/** Sends exactly these header fields and bytes, which `fetch` would normalize. */
export function send(request: Request, target: Target, saved: object): Promise<ReceivedResponse> {
  const { method = "GET", headers = [], form, sign } = request;
  const absoluteUrl = request.origin === "" ? new URL(request.path) : undefined;
  const origin = absoluteUrl ?? new URL(request.origin ?? target.url);
  const requestPath = absoluteUrl ? absoluteUrl.pathname + absoluteUrl.search : request.path;
  const { body, type } = form ? multipart(form, saved) : { body: bodyOf(request) };
  const fields = [["Host", origin.host], ...headers, ...(type ? [["Content-Type", type]] : [])];
  if (body.length > 0) fields.push(["Content-Length", String(body.length)]);
  const signed = { method, path: requestPath, body, host: origin.host };
  const { path, added } = sign
    ? signature(signed, sign, target.iam!)
    : { path: requestPath, added: [] };
  fields.push(...added);
  const client = origin.protocol === "https:" ? Https : Http;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const out = client.request(
      { host: origin.hostname, port: origin.port, method, path, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            headers: joined(response.rawHeaders),
            body: Buffer.concat(chunks),
            seconds: (performance.now() - started) / 1000,
          }),
        );
      },
    );
    out.on("error", reject);
    for (const [name, sameName] of Map.groupBy(fields, ([name]) => name!)) {
      const values = sameName.map(([, value]) => value!);
      out.setHeader(name, values.length === 1 ? values[0]! : values);
    }
    out.end(body);
  });
}

function bodyOf({ body, bodyBase64 }: Request): Buffer {
  return bodyBase64 === undefined ? Buffer.from(body ?? "") : Buffer.from(bodyBase64, "base64");
}

/** Returns headers by lower-case name, with several fields of one name joined by commas. */
function joined(raw: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    headers[name] = headers[name] === undefined ? raw[i + 1]! : `${headers[name]}, ${raw[i + 1]}`;
  }
  return headers;
}

type Signed = { method: string; path: string; body: Buffer; host: string };

/** Signs with Signature Version 4. Written from AWS's documentation without the code under test, so that it is an independent check. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signature(
  { method, path, body, host }: Signed,
  sign: Sign,
  iam: NonNullable<Target["iam"]>,
): { path: string; added: [string, string][] } {
  const offsetMinutes = sign.includes("six minutes ago")
    ? -6
    : sign.includes("six minutes ahead")
      ? 6
      : 0;
  const time = new Date(Date.now() + offsetMinutes * 60_000);
  const date = time.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const [target = "", sent = ""] = path.split("?");
  const region = sign === "wrong region" ? "mars-north-1" : iam.region;
  const service = sign === "wrong service" ? "s3" : "execute-api";
  const accessKeyId = sign === "unknown key" ? "AKIAIOSFODNN7EXAMPLE" : iam.accessKeyId;
  const secret = sign === "wrong secret" ? "wrong" : iam.secretAccessKey;
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const isInQuery = sign.startsWith("in the query");
  const names = isInQuery ? "host" : "host;x-amz-date";
  const query = isInQuery
    ? [
        ...(sent ? [sent] : []),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        `X-Amz-Credential=${encode(`${accessKeyId}/${scope}`)}`,
        `X-Amz-Date=${date}`,
        `X-Amz-Expires=${sign.endsWith("for a minute") ? 60 : 300}`,
        `X-Amz-SignedHeaders=${names}`,
      ].join("&")
    : sent;
  const canonical = [
    method,
    target.split("/").map(encode).join("/"),
    query.split("&").toSorted().join("&"),
    isInQuery ? `host:${host}\n` : `host:${host}\nx-amz-date:${date}\n`,
    names,
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split("/")) key = hmac(key, part);
  const result = hmac(key, toSign).toString("hex");
  if (isInQuery) return { path: `${target}?${query}&X-Amz-Signature=${result}`, added: [] };
  const credential = `Credential=${accessKeyId}/${scope}`;
  return {
    path,
    added: [
      ["X-Amz-Date", date],
      [
        "Authorization",
        `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${result}`,
      ],
    ],
  };
}

const encode = (part: string) =>
  encodeURIComponent(part).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();
