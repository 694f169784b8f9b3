import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCloud } from "../../../core/test/cloud.ts";
import { photo } from "../../../imaging/test/samples.ts";
import { deliveryRequest, readyImage, served } from "../../test/samples.ts";
import * as ProblemResponse from "./problem-response.ts";

let cloud: Awaited<ReturnType<typeof startCloud>>;
const failing = createServer((_request, response) => response.writeHead(503).end());

beforeAll(async () => {
  cloud = await startCloud();
  await new Promise<void>((resolve) => failing.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  failing.closeAllConnections();
  failing.close();
  await cloud.stop();
});

test.each(["S3", "DYNAMODB"])(
  "while %s fails, an image is 503 with a time to retry, and is delivered afterwards",
  async (service) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const image = await readyImage(await photo(300, 200).jpeg().toBuffer());
    const get = () =>
      served(deliveryRequest(image, "w=100")).catch((error: unknown) =>
        ProblemResponse.create(error, "r-1"),
      );
    const name = `AWS_ENDPOINT_URL_${service}`;
    const endpoint = process.env[name];
    process.env[name] = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
    const { status, headers, body } = await get();
    process.env[name] = endpoint;
    expect([status, headers["Retry-After"]]).toEqual([503, "2"]);
    expect(JSON.parse((body as Buffer).toString()).code).toBe("service.unavailable");
    expect((await get()).status).toBe(200);
  },
);
