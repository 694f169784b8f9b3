import { describe, expect, test } from "vitest";

import { resourcesOfType } from "../src/graph.ts";
import * as Read from "./read.ts";

export const storage = (graphs: () => Read.Graphs) =>
  describe("storage", () => {
    test("the bucket is not readable from outside the account", () => {
      for (const graph of Object.values(graphs())) {
        const buckets = resourcesOfType(graph, "aws:s3/bucket:Bucket");
        expect(buckets).toHaveLength(1);
        const about = (type: string) =>
          resourcesOfType(graph, `aws:s3/${type}`).find(
            ({ inputs }) => inputs.bucket === buckets[0]!.id,
          )!;
        expect(about("bucketPublicAccessBlock:BucketPublicAccessBlock").inputs).toMatchObject({
          blockPublicAcls: true,
          blockPublicPolicy: true,
          ignorePublicAcls: true,
          restrictPublicBuckets: true,
        });
        expect(about("bucketOwnershipControls:BucketOwnershipControls").inputs.rule).toEqual({
          objectOwnership: "BucketOwnerEnforced",
        });
        const policy = Read.statements(about("bucketPolicy:BucketPolicy").inputs.policy);
        expect(policy.filter(({ Effect }) => Effect === "Allow")).toEqual([]);
        expect(graph.resources.filter(({ type }) => /bucketAcl|bucketWebsite/i.test(type))).toEqual(
          [],
        );
      }
    });

    test("the bucket answers only over TLS", () => {
      const { laptop } = graphs();
      const { arn } = resourcesOfType(laptop, "aws:s3/bucket:Bucket")[0]!.outputs;
      const [policy] = resourcesOfType(laptop, "aws:s3/bucketPolicy:BucketPolicy");
      expect(Read.statements(policy!.inputs.policy)).toEqual([
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [arn, `${arn}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    });

    test("pages of the configured origins may post to the bucket and read the ETag", () => {
      const cors = (graph: Read.Graphs["laptop"]) =>
        resourcesOfType(graph, "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration")[0]!.inputs
          .corsRules;
      expect(cors(graphs().production)).toEqual([
        {
          allowedOrigins: ["https://balde.example"],
          allowedMethods: ["POST", "PUT"],
          allowedHeaders: ["*"],
          exposeHeaders: ["ETag"],
          maxAgeSeconds: 3600,
        },
      ]);
      expect(cors(graphs().laptop)[0].allowedOrigins).not.toContain("*");
    });

    test("temporary objects, old versions and abandoned parts expire", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const [lifecycle] = resourcesOfType(
          graph,
          "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        );
        const [versioning] = resourcesOfType(graph, "aws:s3/bucketVersioning:BucketVersioning");
        expect(versioning!.inputs.versioningConfiguration.status).toBe("Enabled");
        expect(lifecycle!.inputs.rules).toEqual([
          {
            id: "uploads",
            status: "Enabled",
            filter: { prefix: "uploads/" },
            expiration: { days: 1 },
          },
          {
            id: "derived",
            status: "Enabled",
            filter: { prefix: "derived/" },
            expiration: { days: 30 },
          },
          {
            id: "leftovers",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { expiredObjectDeleteMarker: true },
            noncurrentVersionExpiration: { noncurrentDays: graph === graphs().production ? 30 : 1 },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
        ]);
      }
    });

    test("the table has the keys and indexes that the code uses", () => {
      const [table] = resourcesOfType(graphs().laptop, "aws:dynamodb/table:Table");
      expect(table!.inputs).toMatchObject({
        hashKey: "pk",
        rangeKey: "sk",
        globalSecondaryIndexes: [
          { name: "gsi1", hashKey: "gsi1pk", rangeKey: "gsi1sk", projectionType: "ALL" },
          { name: "gsi2", hashKey: "gsi2pk", rangeKey: "gsi2sk", projectionType: "ALL" },
        ],
        ttl: { attributeName: "expiresAt", enabled: true },
        streamEnabled: true,
        streamViewType: "NEW_AND_OLD_IMAGES",
        billingMode: "PAY_PER_REQUEST",
        pointInTimeRecovery: { enabled: true },
      });
    });

    test("production retains its images, rows and people when the stage is removed", () => {
      const { production, laptop } = graphs();
      expect(production).toMatchObject({ removal: "retain", protect: true });
      const one = (type: string) => resourcesOfType(production, type)[0]!;
      expect(one("aws:s3/bucket:Bucket")).toMatchObject({
        retainOnDelete: true,
        inputs: { forceDestroy: false },
      });
      expect(one("aws:dynamodb/table:Table")).toMatchObject({
        retainOnDelete: true,
        inputs: { deletionProtectionEnabled: true },
      });
      expect(one("aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("ACTIVE");
      expect(laptop).toMatchObject({ removal: "remove", protect: false });
    });
  });
