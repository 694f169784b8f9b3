import { expect, test } from "vitest";

import { startServer } from "../test/start-server.ts";
import { ProblemError, createClient, signIn } from "./client.ts";

const problemOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return error as ProblemError;
};

test("an error of the API rejects with its code, its status and the request's id", async () => {
  await using api = await startServer((_, response) => {
    const errors = [{ parameter: "limit", detail: "too big" }];
    const problem = { type: "about:blank", title: "No", status: 400, detail: "limit: too big" };
    response.writeHead(400, { "content-type": "application/problem+json", "retry-after": "3" });
    response.end(JSON.stringify({ ...problem, code: "input.invalid", requestId: "r1", errors }));
  });
  const error = await problemOf(createClient(api.url).v1.images.$get({ query: { limit: "999" } }));
  expect(error).toMatchObject({
    code: "input.invalid",
    status: 400,
    message: "limit: too big",
    requestId: "r1",
    retryAfterSeconds: 3,
    errors: [{ parameter: "limit", detail: "too big" }],
  });
});

test("the gateway's 413, which is plain text, rejects with a ProblemError", async () => {
  await using api = await startServer((_, response) => {
    response.writeHead(413, { "content-type": "text/plain", "x-amzn-requestid": "r2" });
    response.end("HTTP content length exceeded 10485760 bytes.");
  });
  const error = await problemOf(createClient(api.url).v1.me.$get());
  expect(error).toMatchObject({ code: "body.too_large", status: 413, requestId: "r2" });
  expect(error.message).toContain("10485760");
});

test.each([
  ["HTML of a proxy", "<html>Bad gateway</html>"],
  ["a bare gateway's JSON", '{"message": "Internal server error"}'],
  ["nothing", ""],
])("a 502 with %s rejects with a code", async (_, body) => {
  await using api = await startServer((_, response) => response.writeHead(502).end(body));
  const error = await problemOf(createClient(api.url).v1.me.$get());
  expect(error).toMatchObject({ code: "http.502", status: 502 });
  expect(error.message).not.toBe("");
});

test("each request has the current token, or none", async () => {
  const seen: (string | undefined)[] = [];
  await using api = await startServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  const tokens = ["one", "two", undefined];
  const client = createClient(api.url, { token: async () => tokens.shift() });
  for (let call = 0; call < 3; call++) await client.v1.me.$get();
  await createClient(api.url, { token: "fixed" }).v1.me.$get();
  expect(seen).toEqual(["Bearer one", "Bearer two", undefined, "Bearer fixed"]);
});

/** A server that is the API and the bucket. */
const world = (states: string[], stored: (body: string) => [number, string]) =>
  startServer((request, response, body) => {
    const image = { id: "img_01ARZ3NDEKTSV4RRFFQ69G5FAV", visibility: "public" };
    const url = `http://${request.headers.host}/bucket`;
    const fields = { key: "uploads/1", policy: "p" };
    if (request.url === "/bucket") {
      const [status, text] = stored(body);
      return response.writeHead(status).end(text);
    }
    if (request.method === "POST") {
      return response.end(
        JSON.stringify({ image: { ...image, state: "pending" }, upload: { url, fields } }),
      );
    }
    const state = request.url?.startsWith("/v1/uploads/") ? states.shift() : "ready";
    const reason =
      state === "rejected" ? { code: "image.not_a_picture", detail: "It is text" } : undefined;
    response.end(JSON.stringify({ ...image, state, reason }));
  });

const file = new Blob(["picture"], { type: "image/jpeg" });

test("an upload sends the form's fields before the file and waits until the image is ready", async () => {
  let sent = "";
  await using api = await world(["pending", "processing", "ready"], (body) => {
    sent = body;
    return [201, "<PostResponse/>"];
  });
  const progress: number[] = [];
  const image = await createClient(api.url).upload(
    file,
    { title: "x" },
    { onProgress: (bytes) => progress.push(bytes) },
  );
  expect(image.state).toBe("ready");
  expect(sent.indexOf('name="key"')).toBeGreaterThan(-1);
  expect(sent.indexOf('name="file"')).toBeGreaterThan(sent.indexOf('name="policy"'));
  expect(progress).toEqual([0, 7]);
});

test("an image that ingest rejects makes the upload reject with the reason", async () => {
  await using api = await world(["rejected"], () => [201, ""]);
  const error = await problemOf(createClient(api.url).upload(file));
  expect(error).toMatchObject({ code: "image.not_a_picture", message: "It is text" });
});

test("a file that the bucket rejects makes the upload reject with the bucket's code", async () => {
  const xml =
    "<Error><Code>EntityTooLarge</Code><Message>Too large</Message><RequestId>r3</RequestId></Error>";
  await using api = await world([], () => [400, xml]);
  const error = await problemOf(createClient(api.url).upload(file));
  expect(error).toMatchObject({ code: "storage.EntityTooLarge", status: 400, requestId: "r3" });
});

test("an upload with resolveWhenStored does not wait for ingest", async () => {
  await using api = await world([], () => [201, ""]);
  const image = await createClient(api.url).upload(file, {}, { resolveWhenStored: true });
  expect(image.state).toBe("pending");
});

test("signing in returns tokens, or rejects with Cognito's error", async () => {
  await using cognito = await startServer((request, response, body) => {
    const { AuthParameters } = JSON.parse(body) as { AuthParameters: { PASSWORD: string } };
    expect(request.headers["x-amz-target"]).toBe("AWSCognitoIdentityProviderService.InitiateAuth");
    if (AuthParameters.PASSWORD === "right") {
      const tokens = { IdToken: "i", AccessToken: "a", RefreshToken: "r", ExpiresIn: 3600 };
      return response.end(JSON.stringify({ AuthenticationResult: tokens }));
    }
    const type = "com.amazonaws.cognito#NotAuthorizedException";
    response
      .writeHead(400)
      .end(JSON.stringify({ __type: type, message: "Incorrect username or password." }));
  });
  const ann = { endpoint: cognito.url, clientId: "c", username: "ann" };
  expect(await signIn({ ...ann, password: "right" })).toMatchObject({
    idToken: "i",
    accessToken: "a",
  });
  expect(await problemOf(signIn({ ...ann, password: "wrong" }))).toMatchObject({
    code: "cognito.NotAuthorizedException",
    status: 400,
  });
});
