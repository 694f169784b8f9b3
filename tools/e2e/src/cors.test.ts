import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { send } from "./api-calls.ts";

let stage: Stage;

beforeAll(async () => void (stage = await openStage()));
afterAll(() => stage?.stop());

const paths = [
  "/s3?image=x.jpg",
  "/v1/images",
  "/v1/images/img_01HZZZZZZZZZZZZZZZZZZZZZZZ/like",
  "/v1/uploads",
  "/i/img_01HZZZZZZZZZZZZZZZZZZZZZZZ",
  "/partner/v1/images",
];

// the origins of the stage `laptop` in infra/settings.ts
const origins = ["http://localhost:5173", "http://localhost:3000"];

const sendPreflight = (path: string, origin: string) =>
  send(stage.local, "OPTIONS", path, undefined, {
    origin,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization",
  });

test.each(paths)("a preflight of %s allows configured origins to send a token", async (path) => {
  for (const origin of origins) {
    const answer = await sendPreflight(path, origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("vary")).toMatch(/origin/i);
    expect(answer.headers.get("access-control-allow-headers")).toMatch(/(^|,)authorization(,|$)/i);
  }
});

test.each(paths)("a preflight of %s never names another origin", async (path) => {
  for (const origin of ["http://evil.example", "null", `${origins[0]}.evil.example`]) {
    const answer = await sendPreflight(path, origin);
    expect(origins).toContain(answer.headers.get("access-control-allow-origin"));
  }
});

test("a page can read errors and their headers", async () => {
  const [origin] = origins;
  const failures = [
    ["GET", "/v1/me", 401],
    ["PUT", "/s3?image=x.jpg", 401],
    ["GET", "/s3", 400],
    ["GET", "/s3?image=missing.jpg", 404],
    ["GET", "/v1/nowhere", 403],
    ["GET", "/partner/v1/images", 403],
    ["GET", "/v1/images?limit=0", 400],
  ] as const;
  for (const [method, path, status] of failures) {
    const answer = await send(stage.local, method, path, undefined, { origin: origin! });
    expect([path, answer.status]).toEqual([path, status]);
    expect(["*", origin]).toContain(answer.headers.get("access-control-allow-origin"));
    const exposed = answer.headers.get("access-control-expose-headers")!.split(/, ?/);
    expect(exposed).toEqual(expect.arrayContaining(["Retry-After", "x-amzn-RequestId"]));
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  }
});
