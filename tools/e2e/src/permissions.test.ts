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
import { afterEach, expect, test } from "vitest";

import type { Local } from "./stage.ts";
import { send } from "./api-calls.ts";

const root = resolve(import.meta.dirname, "../../..");
const refusals: { principal: string; action: string; resource: string }[] = [];
let cloud: Cloud | undefined;
let data: string;

afterEach(async () => {
  await cloud?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** The graph without one right: every Allow of `action` in the policies of one function's role is taken out. */
function without(action: string, role: RegExp): ResourceGraph {
  const graph = loadGraph(join(root, "infra/stack.json"));
  let taken = 0;
  for (const resource of graph.resources) {
    if (resource.type !== "aws:iam/role:Role" || !role.test(resource.urn)) continue;
    for (const inline of resource.inputs.inlinePolicies as { policy: string }[]) {
      const policy = JSON.parse(inline.policy) as { Statement: { Action: string | string[] }[] };
      for (const statement of policy.Statement) {
        const actions = [statement.Action].flat();
        taken += actions.includes(action) ? 1 : 0;
        statement.Action = actions.filter((each) => each !== action);
      }
      policy.Statement = policy.Statement.filter((statement) => statement.Action.length > 0);
      inline.policy = JSON.stringify(policy);
    }
  }
  expect(taken).toBeGreaterThan(0);
  return graph;
}

async function startWith(graph: ResourceGraph) {
  refusals.length = 0;
  data = mkdtempSync(join(tmpdir(), "balde-permissions-"));
  const log = {
    ...silentLog,
    denied: (refusal: (typeof refusals)[number]) => void refusals.push(refusal),
  };
  cloud = await startCloud({ graph, root, data, port: 0, log });
  return cloud.local as unknown as Local;
}

test("a function without one grant is refused by DynamoDB, and the log names function, action and resource", async () => {
  const local = await startWith(without("dynamodb:Query", /ApiHandler/));
  const answer = await send(local, "GET", "/v1/images");
  expect(answer.status).toBe(500);
  expect(refusals[0]).toMatchObject({
    principal: expect.stringContaining("ApiHandler"),
    action: "dynamodb:Query",
    resource: expect.stringMatching(/^arn:aws:dynamodb:.*table\//),
  });
});

test("the gateway's own role is held to its policy as well", async () => {
  const local = await startWith(without("s3:GetObject", /PictureReader/));
  const answer = await send(local, "GET", "/s3?image=pier.jpg");
  expect(answer.status).toBe(404);
  expect(refusals[0]).toMatchObject({
    action: "s3:GetObject",
    resource: expect.stringContaining("/images/pier.jpg"),
  });
});
