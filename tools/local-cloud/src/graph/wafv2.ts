import * as z from "zod/mini";

import { ignored, object, optionalString, requiredOneOf, resourceType } from "./properties.ts";

const METRICS = "metrics and samples go to CloudWatch and the console of AWS";

const nothing = object({});

/** A condition that narrows a rule: the beginning of the path, with the stage. */
const pathBegins = object({
  byteMatchStatement: object({
    fieldToMatch: object({ uriPath: nothing }),
    positionalConstraint: requiredOneOf("STARTS_WITH"),
    searchString: z.string(),
    textTransformations: z.array(object({ priority: z.number(), type: requiredOneOf("NONE") })),
  }),
});

/** AWS WAF: rules that count the requests of an address, and nothing else. */
export const wafv2 = {
  "aws:wafv2/webAcl:WebAcl": resourceType(
    {
      scope: requiredOneOf("REGIONAL"),
      defaultAction: object({ allow: nothing }),
      rules: z.optional(
        z.array(
          object({
            name: z.string(),
            priority: z.number(),
            action: object({ block: nothing }),
            statement: object({
              rateBasedStatement: object({
                aggregateKeyType: requiredOneOf("IP"),
                // AWS's least: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
                limit: z.number().check(z.minimum(10)),
                evaluationWindowSec: z.optional(z.literal([60, 120, 300, 600])),
                scopeDownStatement: z.optional(pathBegins),
              }),
            }),
            visibilityConfig: ignored(METRICS),
          }),
        ),
      ),
      visibilityConfig: ignored(METRICS),
    },
    { arn: optionalString },
  ),
  "aws:wafv2/webAclAssociation:WebAclAssociation": resourceType(
    { resourceArn: z.string(), webAclArn: z.string() },
    {},
  ),
};
