import { existsSync } from "node:fs";

import { AwsClient } from "aws4fetch";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Stage, openStage } from "./stage.ts";
import { type Document, createOpenApiChecker } from "./openapi-checker.ts";
import { type Image, type User, send, waitForIngest, signIn, upload } from "./api-calls.ts";
import { sampleJpeg } from "./sample-image.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

let stage: Stage;
let ann: User;
let image: Image;
let imageToDelete: Image;
/** The ids of pending uploads. */
let openUploads: { form: string; parts: string };
let checker: ReturnType<typeof createOpenApiChecker>;
let operator: AwsClient;

beforeAll(async () => {
  stage = await openStage();
  const { iam, region } = stage.local;
  operator = new AwsClient({ ...iam!, region, service: "execute-api", retries: 0 });
  ann = await signIn(stage.local, 0);
  checker = createOpenApiChecker((await (await open("GET", "/openapi.json")).json()) as Document);
  const one = await upload(ann, new Uint8Array(await sampleJpeg(640, 480, 81)), {
    name: "documented.jpg",
  });
  const other = await upload(ann, new Uint8Array(await sampleJpeg(64, 48, 82)));
  image = await waitForIngest(stage.local, one.image.id);
  imageToDelete = await waitForIngest(stage.local, other.image.id);
  openUploads = { form: await createUpload(9), parts: await createUpload(20_000_000) };
});
afterAll(() => stage?.stop());

async function createUpload(bytes: number) {
  const created = await ann.send("POST", "/v1/uploads", { type: "image/png", bytes });
  return ((await created.json()) as { image: Image }).image.id;
}
const open = (method: string, path: string, headers: Record<string, string> = {}) =>
  send(stage.local, method, path, undefined, headers);
const key = () => ({ "x-api-key": stage.local.keys!.partner });
const operate = (method: string, path: string, body?: object) =>
  operator.fetch(`${stage.local.api}${path}`, {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
const newImage = async (seed: number) => new Uint8Array(await sampleJpeg(100, 80, seed));
const asJpeg = { "content-type": "image/jpeg" };
const sendAgain = async (path: string) => {
  const { headers } = await open("GET", path);
  return open("GET", path, { "if-none-match": headers.get("etag") ?? "none" });
};
const missingImage = "/v1/images/img_01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** A successful request of every operation, then some that fail. */
const requests: [operationId: string, status: number, ask: () => Promise<Response>][] = [
  ["getHealth", 200, () => open("GET", "/health")],
  ["getOpenApi", 200, () => open("GET", "/openapi.json")],
  ["getDocs", 200, () => open("GET", "/docs")],
  ["getPicture", 200, () => open("GET", `/i/${image.id}?w=100`)],
  ["headPicture", 200, () => open("HEAD", `/i/${image.id}?w=100`)],
  ["getPictureOfRevision", 200, () => open("GET", `/i/${image.id}/${image.rev}?w=100&f=webp`)],
  ["headPictureOfRevision", 200, () => open("HEAD", `/i/${image.id}/${image.rev}?w=100`)],
  ["getPictureByPreset", 200, () => open("GET", `/i/${image.id}/${image.rev}/thumb`)],
  ["headPictureByPreset", 200, () => open("HEAD", `/i/${image.id}/${image.rev}/thumb`)],
  ["getPublishedPicture", 200, () => open("GET", "/s3?image=documented.jpg")],
  ["headPublishedPicture", 200, () => open("HEAD", "/s3?image=documented.jpg")],
  [
    "getPublishedPicture",
    206,
    () => open("GET", "/s3?image=documented.jpg", { range: "bytes=0-9" }),
  ],
  [
    "getPicture",
    304,
    async () => {
      const path = `/i/${image.id}?w=100`;
      const { headers } = await open("HEAD", path);
      return open("GET", path, { "if-none-match": headers.get("etag")! });
    },
  ],
  ["getOpenApi", 304, () => sendAgain("/openapi.json")],
  ["getDocs", 304, () => sendAgain("/docs")],
  ["getImage", 304, () => sendAgain(`/v1/images/${image.id}`)],
  [
    "createUpload",
    400,
    () =>
      ann.send(
        "POST",
        "/v1/uploads",
        { type: "image/png", bytes: 9 },
        { "idempotency-key": "a b" },
      ),
  ],
  [
    "putNamedPicture",
    202,
    async () => ann.send("PUT", "/s3?image=x.jpg", await newImage(83), asJpeg),
  ],
  ["listImages", 200, () => open("GET", "/v1/images?limit=1")],
  ["createImage", 202, async () => ann.send("POST", "/v1/images", await newImage(84), asJpeg)],
  ["getImage", 200, () => open("GET", `/v1/images/${image.id}`)],
  [
    "updateImage",
    200,
    () =>
      ann.send(
        "PATCH",
        `/v1/images/${image.id}`,
        { alt: "a", fileName: "férias.jpg" },
        { "if-match": "*" },
      ),
  ],
  ["putLike", 200, () => ann.send("PUT", `/v1/images/${image.id}/like`)],
  ["listLikes", 200, () => open("GET", `/v1/images/${image.id}/likes`)],
  ["listMyLikes", 200, () => ann.send("GET", `/v1/me/likes?ids=${image.id}`)],
  ["deleteLike", 200, () => ann.send("DELETE", `/v1/images/${image.id}/like`)],
  ["deleteImage", 202, () => ann.send("DELETE", `/v1/images/${imageToDelete.id}`)],
  ["createUpload", 201, () => ann.send("POST", "/v1/uploads", { type: "image/png", bytes: 9 })],
  ["getUpload", 200, () => ann.send("GET", `/v1/uploads/${image.id}`)],
  ["renewUploadForm", 200, () => ann.send("POST", `/v1/uploads/${openUploads.form}/form`)],
  [
    "signUploadParts",
    200,
    () => ann.send("POST", `/v1/uploads/${openUploads.parts}/parts`, { numbers: [1, 2] }),
  ],
  ["getUpload", 200, () => ann.send("GET", `/v1/uploads/${openUploads.parts}`)],
  ["completeUpload", 409, () => ann.send("POST", `/v1/uploads/${openUploads.parts}/complete`)],
  ["abortUpload", 202, () => ann.send("DELETE", `/v1/uploads/${openUploads.parts}`)],
  ["completeUpload", 200, () => ann.send("POST", `/v1/uploads/${image.id}/complete`)],
  ["abortUpload", 409, () => ann.send("DELETE", `/v1/uploads/${image.id}`)],
  ["renewUploadForm", 409, () => ann.send("POST", `/v1/uploads/${image.id}/form`)],
  [
    "signUploadParts",
    409,
    () => ann.send("POST", `/v1/uploads/${openUploads.form}/parts`, { numbers: [1] }),
  ],
  ["getMyImage", 200, () => ann.send("GET", `/v1/me/images/${image.id}`)],
  ["getMyImage", 404, () => ann.send("GET", missingImage.replace("/v1/", "/v1/me/"))],
  [
    "createAddresses",
    200,
    () => ann.send("POST", `/v1/images/${image.id}/urls`, { requests: [{ w: 90 }] }),
  ],
  [
    "createAddresses",
    404,
    () => ann.send("POST", `${missingImage}/urls`, { requests: [{ w: 90 }] }),
  ],
  ["getMe", 200, () => ann.send("GET", "/v1/me")],
  ["getMyUsage", 200, () => ann.send("GET", "/v1/me/usage")],
  ["listMyImages", 200, () => ann.send("GET", "/v1/me/images?limit=1")],
  ["listImagesAsPartner", 200, () => open("GET", "/partner/v1/images?limit=1", key())],
  ["getImageAsPartner", 200, () => open("GET", `/partner/v1/images/${image.id}`, key())],
  ["getState", 200, () => operate("GET", "/admin/v1/state")],
  ["redrive", 202, () => operate("POST", "/admin/v1/redrive")],
  ["reprocess", 202, () => operate("POST", "/admin/v1/reprocess", { imageId: image.id })],
  ["takeDownImage", 202, () => operate("DELETE", `/admin/v1/images/${imageToDelete.id}`)],
  ["deleteUser", 202, () => operate("DELETE", "/admin/v1/users/none")],
  ["deleteMe", 202, async () => (await signIn(stage.local, 1)).send("DELETE", "/v1/me")],

  ["getPicture", 400, () => open("GET", `/i/${image.id}?w=0&no=1`)],
  ["getPicture", 404, () => open("GET", "/i/img_missing")],
  [
    "getPictureOfRevision",
    416,
    () => open("GET", `/i/${image.id}/${image.rev}`, { range: "bytes=99999999-" }),
  ],
  ["getPictureByPreset", 404, () => open("GET", `/i/${image.id}/${image.rev}/no-such`)],
  ["getPublishedPicture", 400, () => open("GET", "/s3")],
  ["getPublishedPicture", 404, () => open("GET", "/s3?image=none.jpg")],
  [
    "getPublishedPicture",
    416,
    () => open("GET", "/s3?image=documented.jpg", { range: "bytes=99999999-" }),
  ],
  ["putNamedPicture", 401, () => open("PUT", "/s3?image=y.jpg", asJpeg)],
  [
    "putNamedPicture",
    415,
    () => ann.send("PUT", "/s3?image=y.txt", "text", { "content-type": "text/plain" }),
  ],
  ["listImages", 400, () => open("GET", "/v1/images?limit=0")],
  ["listImages", 400, () => open("GET", "/v1/images?cursor=nonsense")],
  [
    "createImage",
    415,
    () => ann.send("POST", "/v1/images", "text", { "content-type": "text/plain" }),
  ],
  ["getImage", 404, () => open("GET", missingImage)],
  ["updateImage", 428, () => ann.send("PATCH", `/v1/images/${image.id}`, { alt: "a" })],
  [
    "updateImage",
    412,
    () => ann.send("PATCH", `/v1/images/${image.id}`, { alt: "b" }, { "if-match": '"1"' }),
  ],
  [
    "updateImage",
    400,
    () => ann.send("PATCH", `/v1/images/${image.id}`, { owner: "me" }, { "if-match": "*" }),
  ],
  ["deleteImage", 404, () => ann.send("DELETE", missingImage)],
  ["putLike", 401, () => open("PUT", `/v1/images/${image.id}/like`)],
  ["putLike", 404, () => ann.send("PUT", `${missingImage}/like`)],
  ["createUpload", 400, () => ann.send("POST", "/v1/uploads", { type: "image/png" })],
  [
    "createUpload",
    409,
    () => ann.send("POST", "/v1/uploads", { type: "image/png", bytes: 9, name: "documented.jpg" }),
  ],
  ["createUpload", 413, () => ann.send("POST", "/v1/uploads", { type: "image/png", bytes: 1e9 })],
  ["createUpload", 415, () => ann.send("POST", "/v1/uploads", { type: "text/plain", bytes: 9 })],
  ["getUpload", 404, () => ann.send("GET", "/v1/uploads/img_01ARZ3NDEKTSV4RRFFQ69G5FAV")],
  ["listImagesAsPartner", 403, () => open("GET", "/partner/v1/images")],
  ["getState", 403, () => open("GET", "/admin/v1/state")],
  ["takeDownImage", 404, () => operate("DELETE", `/admin/v1/images/${missingImage.slice(11)}`)],
  ["reprocess", 400, () => operate("POST", "/admin/v1/reprocess", {})],
];

test("every response has the status, headers, type and fields of the document", async () => {
  const problems: Record<string, string[]> = {};
  for (const [operationId, status, ask] of requests) {
    const answer = await ask();
    const wrong = answer.status === status ? [] : [`answered ${answer.status}`];
    wrong.push(...(await checker.findProblems(operationId, answer)));
    if (wrong.length > 0) problems[`${operationId} ${status}`] = wrong;
  }
  expect(problems).toEqual({});
});

test("every operation is requested", () => {
  const succeeded = requests
    .filter(([, status]) => status < 300)
    .map(([operationId]) => operationId);
  expect([...new Set(succeeded)].toSorted()).toEqual(checker.operationIds.toSorted());
});

test("the document is cacheable and names the stage, and its page loads nothing from other origins", async () => {
  const answer = await open("GET", "/openapi.json");
  expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
  const { servers } = (await answer.json()) as { servers: { url: string }[] };
  const health = new URL(`${servers[0]!.url}/health`, `${stage.local.api}/openapi.json`);
  expect((await fetch(health)).status).toBe(200);
  const page = await open("GET", "/docs");
  expect(page.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; style-src 'sha256-/,
  );
});

test.skipIf(!existsSync(executablePath))(
  "the page is styled under its own policy and fits a phone",
  async () => {
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
      const consoleMessages: string[] = [];
      page.on("console", (message) => consoleMessages.push(message.text()));
      await page.goto(`${stage.local.api}/docs`);
      expect(consoleMessages).toEqual([]);
      expect(await page.locator("article").count()).toBeGreaterThan(20);
      // nothing is wider than the screen
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
      await page.locator('a[href="openapi.json"]').click();
      expect(page.url()).toBe(`${stage.local.api}/openapi.json`);
    } finally {
      await browser.close();
    }
  },
);
