import * as z from "zod/mini";

import {
  ignored,
  object,
  only,
  optionalBoolean,
  optionalNumber,
  optionalString,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const BUNDLED = "a function is bundled from its source on this machine";
const MACHINE = "a function runs on this machine's processor, disk and network";
const DEPLOYMENT = "about making and removing a deployment";
const AT_REST = "nothing is encrypted on this disk";

const destination = z.optional(object({ destination: z.string() }));

export const lambda = {
  "aws:lambda/function:Function": resourceType(
    {
      role: z.string(),
      deadLetterConfig: z.optional(object({ targetArn: z.string() })),
      environment: z.optional(object({ variables: z.optional(z.record(z.string(), z.string())) })),
      loggingConfig: z.optional(
        object({
          logGroup: optionalString,
          applicationLogLevel: ignored("lines are printed as they are written"),
          logFormat: ignored("lines are printed as they are written"),
          systemLogLevel: ignored("lines are printed as they are written"),
        }),
      ),
      memorySize: optionalNumber,
      packageType: only("Zip"),
      reservedConcurrentExecutions: optionalNumber,
      runtime: z.optional(z.string().check(z.startsWith("nodejs"))),
      timeout: optionalNumber,
      tracingConfig: z.optional(object({ mode: requiredOneOf("Active", "PassThrough") })),
      architectures: ignored(MACHINE),
      ephemeralStorage: z.optional(object({ size: optionalNumber })),
      replaceSecurityGroupsOnDestroy: ignored(MACHINE),
      replacementSecurityGroupIds: ignored(MACHINE),
      vpcConfig: ignored(MACHINE),
      code: ignored(BUNDLED),
      codeSha256: ignored(BUNDLED),
      codeSigningConfigArn: ignored(BUNDLED),
      handler: ignored("it names a file of the bundle; the source's handler is read"),
      s3Bucket: ignored(BUNDLED),
      s3Key: ignored(BUNDLED),
      s3ObjectVersion: ignored(BUNDLED),
      sourceCodeHash: ignored(BUNDLED),
      kmsKeyArn: ignored(AT_REST),
      sourceKmsKeyArn: ignored(AT_REST),
      publish: ignored("versions and aliases are not emulated; every call is of $LATEST"),
      skipDestroy: ignored(DEPLOYMENT),
      useResourceTimeoutForPropagation: ignored(DEPLOYMENT),
    },
    { arn: z.string() },
  ),
  "aws:lambda/permission:Permission": resourceType(
    {
      action: z.string(),
      function: z.string(),
      principal: z.string(),
      sourceAccount: optionalString,
      sourceArn: optionalString,
      statementId: ignored("a name for people"),
      statementIdPrefix: ignored("a name for people"),
    },
    {},
  ),
  "aws:lambda/eventSourceMapping:EventSourceMapping": resourceType(
    {
      eventSourceArn: z.string(),
      functionName: z.string(),
      batchSize: optionalNumber,
      bisectBatchOnFunctionError: optionalBoolean,
      destinationConfig: z.optional(
        object({ onFailure: z.optional(object({ destinationArn: z.string() })) }),
      ),
      enabled: optionalBoolean,
      filterCriteria: z.optional(
        object({ filters: z.optional(z.array(object({ pattern: optionalString }))) }),
      ),
      functionResponseTypes: z.optional(z.array(requiredOneOf("ReportBatchItemFailures"))),
      maximumBatchingWindowInSeconds: optionalNumber,
      maximumRecordAgeInSeconds: optionalNumber,
      maximumRetryAttempts: optionalNumber,
      // a table has one shard here, and its batches come one after another
      parallelizationFactor: only(1),
      scalingConfig: z.optional(object({ maximumConcurrency: optionalNumber })),
      startingPosition: z.optional(requiredOneOf("LATEST", "TRIM_HORIZON")),
      kmsKeyArn: ignored(AT_REST),
      metricsConfig: ignored("metrics go to CloudWatch, which is not emulated"),
    },
    { functionArn: optionalString },
  ),
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": resourceType(
    {
      functionName: z.string(),
      destinationConfig: z.optional(object({ onFailure: destination, onSuccess: destination })),
      maximumEventAgeInSeconds: optionalNumber,
      maximumRetryAttempts: optionalNumber,
      qualifier: only("$LATEST"),
    },
    {},
  ),
};
