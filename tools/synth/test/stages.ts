import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { problemsOf } from "../../local-cloud/src/graph/problems.ts";
import * as Files from "../src/files.ts";
import { resourcesOfType } from "../src/graph.ts";
import * as Stack from "../src/stack.ts";
import type * as Read from "./read.ts";

const root = join(import.meta.dirname, "../../..");

export const stages = (graphs: () => Read.Graphs) =>
  describe("stages", () => {
    test("no two resources share a name", () => {
      for (const { resources } of Object.values(graphs())) {
        const urns = resources.map(({ urn }) => urn);
        expect(urns.filter((urn, index) => urns.indexOf(urn) !== index)).toEqual([]);
      }
    });

    test("the names are valid in AWS", () => {
      const limits: Record<string, [string, RegExp]> = {
        "aws:s3/bucket:Bucket": ["bucket", /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/],
        "aws:lambda/function:Function": ["name", /^[\w-]{1,64}$/],
        "aws:sqs/queue:Queue": ["name", /^[\w-]{1,80}$/],
        "aws:dynamodb/table:Table": ["name", /^[\w.-]{3,255}$/],
      };
      for (const graph of Object.values(graphs())) {
        const refused = Object.entries(limits).flatMap(([type, [field, allowed]]) =>
          resourcesOfType(graph, type).filter(({ inputs }) => !allowed.test(inputs[field])),
        );
        expect(refused).toEqual([]);
      }
    });

    test("the committed graph and types are up to date with infra", () => {
      expect(Files.staleFiles(root, Files.generatedFiles(root, graphs().laptop))).toEqual([]);
    });

    test("the local cloud knows every resource and property of what is deployed", () => {
      const { laptop, production } = graphs();
      for (const graph of [laptop, production]) {
        const { resources } = JSON.parse(JSON.stringify(Stack.toStackFile(graph)));
        expect(resources.flatMap(problemsOf)).toEqual([]);
      }
    });

    test("the committed graph contains no local path, no time and no secret", () => {
      const text = Files.generatedFiles(root, graphs().laptop)["infra/stack.json"]!;
      expect(text).not.toContain(root);
      expect(text).not.toMatch(/"\/(home|root|Users|tmp|work|private)\//);
      expect(text).not.toContain("SST_KEY");
      expect(text).not.toMatch(/20\d\d-\d\d-\d\dT(?!00:00:00\.000)/);
      expect(text.match(/secret:\/\/\w+/g)!.length).toBeGreaterThan(0);
    });

    test("a link brings only a name, no permission and no AWS key", () => {
      const links = graphs().laptop.functions.flatMap((build) => Object.entries(build.links));
      expect(
        Object.fromEntries(links.map(([name, link]) => [name, Object.keys(link).toSorted()])),
      ).toEqual({
        Data: ["name", "type"],
        DeliveryKeys: ["newest", "secrets", "type"],
        Images: ["name", "type"],
        Ingest: ["type", "url"],
        IngestDead: ["type", "url"],
        Sync: ["type", "url"],
        Users: ["id", "type"],
        OutboxDead: ["type", "url"],
        CountDead: ["type", "url"],
        Keys: ["cursor", "type"],
        Limits: [
          "bytes",
          "images",
          "ingestSlots",
          "openUploads",
          "reservedNames",
          "signedUrlsPerDay",
          "type",
        ],
        Presets: ["queries", "type"],
      });
    });

    test("people sign in with SRP, and with a plain password only outside production", () => {
      const flows = (graph: Read.Graphs["laptop"]) =>
        resourcesOfType(graph, "aws:cognito/userPoolClient:UserPoolClient")[0]!.inputs;
      const always = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
      expect(flows(graphs().production).explicitAuthFlows).toEqual(always);
      expect(flows(graphs().laptop).explicitAuthFlows).toEqual([
        ...always,
        "ALLOW_USER_PASSWORD_AUTH",
      ]);
      for (const graph of Object.values(graphs())) {
        const client = flows(graph);
        expect(client).toMatchObject({
          generateSecret: false,
          allowedOauthFlowsUserPoolClient: false,
          preventUserExistenceErrors: "ENABLED",
          enableTokenRevocation: true,
        });
        expect(client).not.toHaveProperty("allowedOauthFlows");
        expect(client).not.toHaveProperty("callbackUrls");
      }
    });

    test("a forgotten password is reset by e-mail", () => {
      const [pool] = resourcesOfType(graphs().laptop, "aws:cognito/userPool:UserPool");
      expect(pool!.inputs).toMatchObject({
        aliasAttributes: ["email"],
        autoVerifiedAttributes: ["email"],
        accountRecoverySetting: { recoveryMechanisms: [{ name: "verified_email", priority: 1 }] },
        passwordPolicy: { minimumLength: 12 },
      });
    });

    test("each function is minified and split, runs on arm64, and installs the workspace's decoders", () => {
      const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
      const versionOf = (name: string) =>
        new RegExp(`^ {2}${name}: (\\S+)$`, "m").exec(catalog)![1];
      const [sharp, heif] = [versionOf("sharp"), versionOf("libheif-js")];
      const bundling = (install?: object) => ({
        minify: true,
        splitting: true,
        architecture: "arm64",
        install,
      });
      const said = graphs().laptop.functions.map(({ functionID, properties }) => {
        const { minify, splitting, architecture, install } = properties;
        return [functionID, { minify, splitting, architecture, install }];
      });
      expect(Object.fromEntries(said)).toEqual({
        Admin: bundling(),
        ApiHandler: bundling(),
        Count: bundling(),
        Deliver: bundling({ sharp }),
        Outbox: bundling(),
        IngestHandler: bundling({ sharp, "libheif-js": heif }),
      });
    });
  });
