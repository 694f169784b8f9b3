import { request } from "node:http";

import { AwsClient } from "aws4fetch";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type AnyRequest, type Document, anyRequest } from "./any-request.ts";
import { type User, send, signIn, upload, waitForIngest } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";
import { type Stage, openStage } from "./stage.ts";

/** BALDE_SEED repeats a run; BALDE_FUZZ_SECONDS makes it longer. */
const SEED = Number(process.env["BALDE_SEED"] ?? Date.now() % 2 ** 31);
const SECONDS = Number(process.env["BALDE_FUZZ_SECONDS"] ?? 20);
/** A problem has at most ten errors of some hundred characters. */
const MAX_PROBLEM_BYTES = 64_000;

let stage: Stage;
let ann: User;
let bo: User;
let operator: AwsClient;

beforeAll(async () => {
  stage = await openStage();
  [ann, bo] = await Promise.all([signIn(stage.local, 0), signIn(stage.local, 1)]);
  const { iam, region } = stage.local;
  operator = new AwsClient({ ...iam!, region, service: "execute-api", retries: 0 });
});
afterAll(() => stage?.stop());

async function readyImage(owner: User, fields: Record<string, unknown>) {
  const bytes = new Uint8Array(await sampleJpeg(320, 240, 90));
  const { image } = await upload(owner, bytes, fields);
  return waitForIngest(stage.local, image.id);
}

async function credentials({ method, path, security, body }: AnyRequest) {
  // what deletes, deletes what another user has, so that later requests find what they need
  if (security === "idToken")
    return { authorization: `Bearer ${(method === "DELETE" ? bo : ann).idToken}` };
  if (security === "apiKey") return { "x-api-key": stage.local.keys!.partner };
  if (security !== "awsSignature") return {};
  const signed = await operator.sign(`${stage.local.api}${path}`, {
    method,
    ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
  });
  return Object.fromEntries(signed.headers);
}

/** Sends the request as it is: `fetch` would change its path. */
async function ask(any: AnyRequest): Promise<{ status: number; body: Buffer }> {
  const headers = { ...any.headers, ...(await credentials(any)) };
  const { hostname, port, pathname } = new URL(stage.local.api);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path: pathname + any.path, method: any.method, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(any.body);
  });
}

test(
  "no request whatever has a response of status 500 or more, or a large problem, while AWS is well",
  async () => {
    const document = (await (await send(stage.local, "GET", "/openapi.json")).json()) as Document;
    const image = await readyImage(ann, { name: "fuzz.jpg", tags: ["sea"] });
    const others = await Promise.all([readyImage(bo, {}), readyImage(bo, {})]);
    const known = {
      id: [image.id, image.id, ...others.map(({ id }) => id)],
      ids: [image.id],
      rev: [image.rev!],
      preset: ["thumb"],
      image: ["fuzz.jpg"],
      tag: ["sea"],
      type: ["image/jpeg"],
      imageId: [image.id],
      "if-match": ["*"],
    };
    console.info(`BALDE_SEED=${SEED}`);
    const statuses = new Map<string, number>();
    const count = (name: string) => statuses.set(name, (statuses.get(name) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(anyRequest(document, known), async (any) => {
        const { status, body } = await ask(any);
        count(`${any.operationId} ${status}`);
        expect(status, `${any.method} ${any.path}: ${body.toString()}`).toBeLessThan(500);
        expect(status < 400 ? 0 : body.length).toBeLessThan(MAX_PROBLEM_BYTES);
      }),
      {
        seed: SEED,
        numRuns: 1_000_000,
        interruptAfterTimeLimit: SECONDS * 1000,
        // a request that fails is shown as it is; to make it smaller would take minutes
        endOnFailure: true,
      },
    );
    const total = [...statuses.values()].reduce((sum, one) => sum + one, 0);
    console.info(`${total} requests with ${statuses.size} pairs of operation and status`);
    // the requests are not all refused at the door
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const asked = new Set([...statuses.keys()].map((name) => name.split(" ")[0]));
    expect(operations.filter(({ operationId }) => !asked.has(operationId))).toEqual([]);
    const succeeded = [...statuses.keys()].filter((name) => / 2\d\d$/.test(name));
    expect(succeeded.length).toBeGreaterThan(operations.length / 2);
  },
  (SECONDS + 60) * 1000,
);
