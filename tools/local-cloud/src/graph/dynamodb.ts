import * as z from "zod/mini";

import {
  ignored,
  object,
  optionalBoolean,
  optionalString,
  optionalStrings,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const CAPACITY = "the engine of a laptop has no capacity to buy";
const AFTER_LOSS = "a laptop has no backups, and its disk is not encrypted by AWS";

/** `hashKey` and `rangeKey`, or the provider's newer `keySchemas`. */
const keySchemas = z.optional(
  z.array(object({ attributeName: z.string(), keyType: requiredOneOf("HASH", "RANGE") })),
);

const projection = {
  projectionType: requiredOneOf("ALL", "KEYS_ONLY", "INCLUDE"),
  nonKeyAttributes: optionalStrings,
};

export const dynamodb = {
  "aws:dynamodb/table:Table": resourceType(
    {
      attributes: z.array(object({ name: z.string(), type: requiredOneOf("S", "N", "B") })),
      hashKey: z.string(),
      rangeKey: optionalString,
      globalSecondaryIndexes: z.optional(
        z.array(
          object({
            name: z.string(),
            hashKey: optionalString,
            rangeKey: optionalString,
            keySchemas,
            ...projection,
            onDemandThroughput: ignored(CAPACITY),
            readCapacity: ignored(CAPACITY),
            warmThroughput: ignored(CAPACITY),
            writeCapacity: ignored(CAPACITY),
          }),
        ),
      ),
      localSecondaryIndexes: z.optional(
        z.array(object({ name: z.string(), rangeKey: z.string(), ...projection })),
      ),
      streamEnabled: optionalBoolean,
      streamViewType: z.optional(
        requiredOneOf("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"),
      ),
      ttl: z.optional(object({ attributeName: optionalString, enabled: optionalBoolean })),
      billingMode: ignored(CAPACITY),
      onDemandThroughput: ignored(CAPACITY),
      readCapacity: ignored(CAPACITY),
      tableClass: ignored(CAPACITY),
      warmThroughput: ignored(CAPACITY),
      writeCapacity: ignored(CAPACITY),
      deletionProtectionEnabled: ignored("about the removal of a deployment"),
      pointInTimeRecovery: ignored(AFTER_LOSS),
      serverSideEncryption: ignored(AFTER_LOSS),
    },
    { arn: z.string(), streamArn: optionalString },
  ),
};
