import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Image, send, waitForIngest, signIn, upload } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

// Every path with a protected method is requested with every method and with wrong credentials. The table is read from the
// graph, so it includes new routes.

type Resource = { type: string; id: string; inputs: Record<string, string | undefined> };

const { resources } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../../infra/stack.json"), "utf8"),
) as { resources: Resource[] };
const ofType = (type: string) =>
  resources.filter((resource) => resource.type === `aws:apigateway/${type}`);

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const endpoints = ofType("method:Method").map(({ inputs }) => ({
  path: pathOf(inputs["resourceId"]),
  method: inputs["httpMethod"]!,
  asks: inputs["apiKeyRequired"] ? "a key" : inputs["authorization"]!,
}));
const isProtected = (asks: string) => asks !== "NONE";
const protectedPaths = [
  ...new Set(endpoints.filter(({ asks }) => isProtected(asks)).map(({ path }) => path)),
];

/** The authorization of every protected route, and of methods that do not exist on their paths. */
const table = protectedPaths.flatMap((path) =>
  methods
    .map((method) => {
      const found = endpoints.find((other) => other.path === path && other.method === method);
      return { method, path, asks: found?.asks ?? "nothing, because it does not exist" };
    })
    .filter(({ asks }) => isProtected(asks)),
);

function pathOf(id: string | undefined): string {
  const found = ofType("resource:Resource").find((resource) => resource.id === id);
  return found ? `${pathOf(found.inputs["parentId"])}/${found.inputs["pathPart"]}` : "";
}

let stage: Stage;
let image: Image;
let accessToken: string;

beforeAll(async () => {
  stage = await openStage();
  const ann = await signIn(stage.local, 0);
  accessToken = ann.accessToken;
  const sent = await upload(ann, new Uint8Array(await sampleJpeg(64, 64, 51)));
  image = await waitForIngest(stage.local, sent.image.id);
});

afterAll(() => stage?.stop());

test("every route that writes, is personal, is metered or is for operators needs authorization", () => {
  const open = endpoints.filter(
    ({ method, path, asks }) =>
      !isProtected(asks) &&
      method !== "OPTIONS" &&
      (!["GET", "HEAD"].includes(method) || /^\/(v1\/(me|uploads)|partner|admin)(\/|$)/.test(path)),
  );
  expect(open).toEqual([]);
  const kinds = Map.groupBy(table, ({ asks }) => asks);
  expect(kinds.get("COGNITO_USER_POOLS")!.length).toBeGreaterThanOrEqual(11);
  expect(kinds.get("AWS_IAM")!.length).toBeGreaterThanOrEqual(3);
  expect(kinds.get("a key")!.length).toBeGreaterThanOrEqual(2);
  expect(protectedPaths).toEqual(
    expect.arrayContaining([
      "/s3",
      "/v1/me",
      "/v1/uploads",
      "/partner/v1/images",
      "/admin/v1/state",
    ]),
  );
});

/** An unsigned token: `{"alg":"none"}`. */
const forged = [{ alg: "none" }, { sub: "ann", token_use: "id", exp: 4_102_444_800 }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".")
  .concat(".");

const credentials: [string, () => Record<string, string>][] = [
  ["no credentials", () => ({})],
  ["an unsigned token", () => ({ authorization: `Bearer ${forged}` })],
  ["an access token instead of the ID token", () => ({ authorization: `Bearer ${accessToken}` })],
  [
    "an invalid signature",
    () => ({
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/execute-api/aws4_request, SignedHeaders=host, Signature=00",
    }),
  ],
  ["an empty key", () => ({ "x-api-key": "" })],
];

describe.each(credentials)("with %s", (_, headers) => {
  test.each(table)("$method $path, which needs $asks, is rejected", async ({ method, path }) => {
    const query = path === "/s3" ? "?image=x.jpg" : "";
    const answer = await send(
      stage.local,
      method,
      path.replace("{id}", image.id) + query,
      ["POST", "PUT", "PATCH"].includes(method) ? "{}" : undefined,
      { "content-type": "application/json", ...headers() },
    );
    expect([401, 403]).toContain(answer.status);
    if (method === "HEAD") return;
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      status: answer.status,
      code: expect.stringMatching(/^gateway\./),
      requestId: answer.headers.get("x-amzn-requestid"),
    });
  });
});

test("the rejected requests changed nothing", async () => {
  const answer = await send(stage.local, "GET", `/v1/images/${image.id}`);
  expect(await answer.json()).toEqual(image);
});
