import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

type Printed = { answer: string; addresses: object; loaded: string[] };

test("a graph of one function and one REST API starts no other service and loads none of its files", () => {
  const program = join(import.meta.dirname, "cloud.fixture.ts");
  const { answer, addresses, loaded }: Printed = JSON.parse(
    execFileSync(process.execPath, [program], { encoding: "utf8" }),
  );
  expect(answer).toBe("hello");
  expect(Object.keys(addresses)).toEqual(["api", "region", "sts", "iam"]);
  const folder = `file://${import.meta.dirname}/`;
  const services = new Set(
    loaded.flatMap((url) => (url.startsWith(folder) ? url.slice(folder.length).split("/") : [])),
  );
  for (const service of ["apigateway", "lambda", "iam"]) expect(services).toContain(service);
  for (const service of ["s3", "sqs", "dynamodb", "cognito", "websocket"])
    expect(services).not.toContain(service);
  expect(loaded.filter((url) => url.includes("/@aws-sdk/"))).toEqual([]);
});
