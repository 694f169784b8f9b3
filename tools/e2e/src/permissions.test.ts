import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type Cloud,
  type ResourceGraph,
  loadGraph,
  silentLog,
  startCloud,
} from "@balde/local-cloud";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Local } from "./stage.ts";
import { send } from "./api-calls.ts";

type Denial = { principal: string; action: string; resource: string };

const root = resolve(import.meta.dirname, "../../..");
const denials: Denial[] = [];
let cloud: Cloud;
let local: Local;
let data: string;

// one start for both tests: the removed permissions belong to different roles
beforeAll(async () => {
  const graph = loadGraph(join(root, "infra/stack.json"));
  removeAction(graph, "dynamodb:Query", /ApiHandler/);
  removeAction(graph, "s3:GetObject", /PictureReader/);
  data = mkdtempSync(join(tmpdir(), "balde-permissions-"));
  const log = { ...silentLog, denied: (denial: Denial) => void denials.push(denial) };
  cloud = await startCloud({ graph, root, data, port: 0, log });
  local = cloud.local as unknown as Local;
});

afterAll(async () => {
  await cloud?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Removes an action from the inline policies of the roles whose names match. */
function removeAction(graph: ResourceGraph, action: string, role: RegExp) {
  let removed = 0;
  for (const resource of graph.resources) {
    if (resource.type !== "aws:iam/role:Role" || !role.test(resource.urn)) continue;
    for (const inline of resource.inputs.inlinePolicies as { policy: string }[]) {
      const policy = JSON.parse(inline.policy) as { Statement: { Action: string | string[] }[] };
      for (const statement of policy.Statement) {
        const actions = [statement.Action].flat();
        removed += actions.includes(action) ? 1 : 0;
        statement.Action = actions.filter((each) => each !== action);
      }
      policy.Statement = policy.Statement.filter((statement) => statement.Action.length > 0);
      inline.policy = JSON.stringify(policy);
    }
  }
  expect(removed).toBeGreaterThan(0);
}

test("DynamoDB denies a function without a grant, and the log names function, action and resource", async () => {
  const response = await send(local, "GET", "/v1/images");
  expect(response.status).toBe(500);
  expect(denials).toContainEqual({
    principal: expect.stringContaining("ApiHandler"),
    action: "dynamodb:Query",
    resource: expect.stringMatching(/^arn:aws:dynamodb:.*table\//),
  });
});

test("S3 denies the role of the gateway what its policy does not allow", async () => {
  const response = await send(local, "GET", "/s3?image=pier.jpg");
  expect(response.status).toBe(404);
  expect(denials).toContainEqual(
    expect.objectContaining({
      action: "s3:GetObject",
      resource: expect.stringContaining("/images/pier.jpg"),
    }),
  );
});
