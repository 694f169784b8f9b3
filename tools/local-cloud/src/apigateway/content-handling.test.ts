import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type Route, mock, restApi, serve } from "./gateway.fixture.ts";

// Every row of both tables on this page, once. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html

type Handling = "none" | "CONVERT_TO_TEXT" | "CONVERT_TO_BINARY";

const handlings: Handling[] = ["none", "CONVERT_TO_TEXT", "CONVERT_TO_BINARY"];
const handlingOf = (handling: Handling) =>
  handling === "none" ? {} : { contentHandling: handling };

let api: Awaited<ReturnType<typeof serve>>;
/** Records the body of a request and sends `answer`. */
let backend: Server;
let received: Buffer;
let answer: { type: string; body: Buffer };

beforeAll(async () => {
  backend = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      received = Buffer.concat(chunks);
      res.writeHead(200, { "content-type": answer.type }).end(answer.body);
    });
  }).listen(0, "127.0.0.1");
  await once(backend, "listening");
  const uri = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`;
  const integration = { type: "HTTP", integrationHttpMethod: "POST", uri };
  const routes = handlings.flatMap((handling): [string, Route][] => [
    [
      `POST /in/${handling}`,
      { integration: { ...integration, ...handlingOf(handling) }, responses: { "200": {} } },
    ],
    [`POST /out/${handling}`, { integration, responses: { "200": handlingOf(handling) } }],
    [
      `POST /templated/${handling}`,
      {
        integration,
        responses: {
          "200": {
            ...handlingOf(handling),
            responseTemplates: { "application/json": `got $input.body` },
          },
        },
      },
    ],
    [
      `OPTIONS /mock/${handling}`,
      { integration: { ...mock(204), ...handlingOf(handling) }, responses: { "204": {} } },
    ],
  ]);
  const passthrough = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].flatMap(
    (passthroughBehavior): [string, Route][] => [
      [
        `POST /pass/${passthroughBehavior}/templates`,
        {
          integration: {
            ...integration,
            passthroughBehavior,
            requestTemplates: { "application/json": "templated" },
          },
          responses: { "200": {} },
        },
      ],
      [
        `POST /pass/${passthroughBehavior}/none`,
        { integration: { ...integration, passthroughBehavior }, responses: { "200": {} } },
      ],
    ],
  );
  api = await serve(
    restApi(Object.fromEntries([...routes, ...passthrough]), {
      api: { binaryMediaTypes: ["image/png", "application/x-any/*"] },
    }),
  );
});
afterAll(async () => {
  await api.stop();
  backend.closeAllConnections();
  backend.close();
});

const bytes = Buffer.from("89504e47ff", "hex");
const corrupted = Buffer.from(bytes.toString("utf8"));
const base64 = Buffer.from(bytes.toString("base64"));
const text = Buffer.from("plain text");

const post = (path: string, body: Buffer, headers: Record<string, string>) =>
  api.call(`/t${path}`, { method: "POST", body: new Uint8Array(body), headers });

test.each<[Handling, string, Buffer, Buffer | undefined]>([
  ["none", "text/plain", bytes, corrupted],
  ["none", "text/plain", text, text],
  ["none", "image/png", bytes, bytes],
  ["CONVERT_TO_TEXT", "image/png", bytes, base64],
  ["CONVERT_TO_TEXT", "text/plain", text, text],
  ["CONVERT_TO_BINARY", "image/png", bytes, bytes],
  ["CONVERT_TO_BINARY", "text/plain", base64, bytes],
  // text that is no base64
  ["CONVERT_TO_BINARY", "text/plain", text, undefined],
])("contentHandling %s converts a request of type %s", async (handling, type, sent, expected) => {
  answer = { type: "text/plain", body: Buffer.alloc(0) };
  received = Buffer.alloc(0);
  const { status } = await post(`/in/${handling}`, sent, { "content-type": type });
  expect(status).toBe(expected ? 200 : 500);
  expect(received).toEqual(expected ?? Buffer.alloc(0));
});

const ACCEPTS_BINARY = "image/png,*/*";
const ACCEPTS_TEXT = "text/html,image/png";

test.each<[Handling, type: string, accept: string, Buffer, Buffer | undefined]>([
  ["none", "text/plain", ACCEPTS_TEXT, bytes, corrupted],
  ["none", "text/plain", ACCEPTS_TEXT, text, text],
  ["none", "text/plain", ACCEPTS_BINARY, base64, bytes],
  ["none", "text/plain", ACCEPTS_BINARY, text, undefined],
  ["none", "image/png", ACCEPTS_TEXT, bytes, base64],
  ["none", "image/png", ACCEPTS_BINARY, bytes, bytes],
  ["CONVERT_TO_BINARY", "image/png", ACCEPTS_TEXT, bytes, bytes],
  ["CONVERT_TO_BINARY", "image/png", ACCEPTS_BINARY, bytes, bytes],
  ["CONVERT_TO_BINARY", "text/plain", ACCEPTS_TEXT, base64, bytes],
  ["CONVERT_TO_BINARY", "text/plain", ACCEPTS_TEXT, text, undefined],
  ["CONVERT_TO_TEXT", "image/png", ACCEPTS_BINARY, bytes, base64],
  ["CONVERT_TO_TEXT", "image/png", ACCEPTS_TEXT, bytes, base64],
  ["CONVERT_TO_TEXT", "text/plain", ACCEPTS_BINARY, text, text],
])(
  "contentHandling %s converts a response of type %s for a client that accepts %s",
  async (handling, type, accept, body, expected) => {
    answer = { type, body };
    const response = await fetch(`http://127.0.0.1:${api.port}/t/out/${handling}`, {
      method: "POST",
      headers: { accept },
    });
    expect(response.status).toBe(expected ? 200 : 500);
    const got = Buffer.from(await response.arrayBuffer());
    expect(expected ? got : undefined).toEqual(expected);
  },
);

test("a template needs text: it is 500 with a binary body", async () => {
  answer = { type: "image/png", body: bytes };
  const headers = { accept: ACCEPTS_BINARY };
  expect((await post("/templated/none", text, headers)).status).toBe(500);
  expect((await post("/templated/CONVERT_TO_TEXT", text, headers)).text).toBe(
    `got ${base64.toString()}`,
  );
  answer = { type: "text/plain", body: text };
  expect((await post("/templated/none", text, { accept: ACCEPTS_TEXT })).text).toBe(
    "got plain text",
  );
});

test("the response of a mock is text, whatever the client accepts", async () => {
  for (const handling of ["none", "CONVERT_TO_TEXT"])
    for (const accept of [ACCEPTS_BINARY, ACCEPTS_TEXT])
      expect(
        await api.call(`/t/mock/${handling}`, { method: "OPTIONS", headers: { accept } }),
      ).toMatchObject({ status: 204, text: "" });
});

test.each([
  ["WHEN_NO_MATCH", "templates", "application/json", "templated"],
  ["WHEN_NO_MATCH", "templates", "text/plain", "as it came"],
  ["WHEN_NO_MATCH", "none", "application/json", "as it came"],
  ["WHEN_NO_TEMPLATES", "templates", "application/json", "templated"],
  ["WHEN_NO_TEMPLATES", "templates", "text/plain", undefined],
  ["WHEN_NO_TEMPLATES", "none", "text/plain", "as it came"],
  ["NEVER", "templates", "application/json; charset=utf-8", "templated"],
  ["NEVER", "templates", "text/plain", undefined],
  ["NEVER", "none", "application/json", undefined],
])(
  "passthroughBehavior %s with templates %s for a request of type %s",
  async (behavior, templates, type, expected) => {
    answer = { type: "text/plain", body: Buffer.alloc(0) };
    received = Buffer.alloc(0);
    const sent = Buffer.from("as it came");
    const { status } = await post(`/pass/${behavior}/${templates}`, sent, { "content-type": type });
    expect(status).toBe(expected ? 200 : 415);
    expect(String(received)).toBe(expected ?? "");
  },
);
