import * as z from "zod/mini";

import {
  ignored,
  object,
  only,
  optionalString,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const PROVIDER = "it tells Pulumi's provider how to work";
const NO_FAILURE = "a queue or a function of this machine always accepts an event";

/** Rules of the default event bus. */
export const eventbridge = {
  "aws:cloudwatch/eventRule:EventRule": resourceType(
    {
      eventBusName: only("default"),
      eventPattern: z.string(),
      state: z.optional(requiredOneOf("ENABLED", "DISABLED")),
      forceDestroy: ignored(PROVIDER),
    },
    { arn: z.string() },
  ),
  "aws:cloudwatch/eventTarget:EventTarget": resourceType(
    {
      arn: z.string(),
      eventBusName: only("default"),
      inputTransformer: z.optional(
        object({
          inputPaths: z.optional(z.record(z.string(), z.string())),
          inputTemplate: z.string(),
        }),
      ),
      rule: z.string(),
      deadLetterConfig: ignored(NO_FAILURE),
      forceDestroy: ignored(PROVIDER),
      retryPolicy: ignored(NO_FAILURE),
      targetId: optionalString,
    },
    {},
  ),
};
