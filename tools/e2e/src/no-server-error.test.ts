import { request } from "node:http";

import { AwsClient } from "aws4fetch";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type AnyRequest, type Document, anyRequests } from "./any-request.ts";
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
    const statuses: number[] = [];
    const operations = anyRequests(document, known);
    const end = Date.now() + SECONDS * 1000;
    // one request of each operation in turn, so that all are asked also on a slow machine
    for (let seed = SEED; seed === SEED || Date.now() < end; seed++)
      for (const requests of operations) {
        const [any] = fc.sample(requests, { seed, numRuns: 1 }) as [AnyRequest];
        const { status, body } = await ask(any);
        statuses.push(status);
        expect(status, `${JSON.stringify(any)}: ${body.toString()}`).toBeLessThan(500);
        expect(status < 400 ? 0 : body.length).toBeLessThan(MAX_PROBLEM_BYTES);
      }
    const succeeded = statuses.filter((status) => status < 300);
    console.info(`${statuses.length} requests, ${succeeded.length} of them successful`);
    // the requests are not all refused at the door
    expect(succeeded.length).toBeGreaterThan(statuses.length / 20);
  },
  (SECONDS + 60) * 1000,
);
