import { expect, test } from "vitest";

import { json, mock, restApi, serve } from "./gateway.fixture.ts";

const root = { integration: mock(), responses: { "200": json({ root: true }) } };

test("several APIs with one stage name are addressed by their ids", async () => {
  const one = restApi({ "GET /": { integration: mock(), responses: { "200": json({ api: 1 }) } } });
  const two = JSON.parse(
    JSON.stringify(one)
      .replaceAll("api1", "api2")
      .replaceAll("deployment1", "deployment2")
      .replaceAll('{\\"api\\":1}', '{\\"api\\":2}')
      .replaceAll("stage1", "stage2")
      .replaceAll("urn:", "urn:2"),
  );
  const api = await serve({ ...one, resources: [...one.resources, ...two.resources] });
  expect(api.stages.map(({ path }) => path)).toEqual(["/_apis/api1/t", "/_apis/api2/t"]);
  expect((await api.call("/_apis/api2/t/")).json).toEqual({ api: 2 });
  await api.stop();
});

test("a path without a known stage is AWS's 403, with the stages in a header", async () => {
  const api = await serve(restApi({ "GET /": root }));
  const unknown = await api.call("/nostage/x");
  expect([unknown.status, unknown.text]).toEqual([403, `{"message":"Forbidden"}`]);
  expect(unknown.headers.get("x-local-cloud-hint")).toMatch(/begin with a stage.*: \/t$/);
  const none = await api.call("/");
  expect(none.status).toBe(403);
  expect(none.json).toEqual({
    message: "Forbidden",
    hint: none.headers.get("x-local-cloud-hint"),
  });
  expect((await api.call("/t/nope")).headers.get("x-local-cloud-hint")).toBeNull();
  await api.stop();
});
