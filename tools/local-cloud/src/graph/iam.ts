import * as z from "zod/mini";

import {
  ignored,
  object,
  optionalString,
  optionalStrings,
  policyDocument,
  resourceType,
} from "./properties.ts";

const NAMED = "the graph holds the role's whole ARN";

const roleReference = z.union([z.string(), z.looseObject({ id: z.string() })]);

export const iam = {
  "aws:iam/role:Role": resourceType(
    {
      assumeRolePolicy: policyDocument,
      inlinePolicies: z.optional(z.array(object({ name: optionalString, policy: optionalString }))),
      managedPolicyArns: optionalStrings,
      forceDetachPolicies: ignored("about the removal of a deployment"),
      maxSessionDuration: ignored("the sessions of a laptop do not end"),
      path: ignored(NAMED),
    },
    { arn: z.string() },
  ),
  "aws:iam/rolePolicy:RolePolicy": resourceType(
    { policy: policyDocument, role: roleReference },
    {},
  ),
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": resourceType(
    { policyArn: z.string(), role: roleReference },
    {},
  ),
  "aws:iam/policy:Policy": resourceType(
    {
      policy: policyDocument,
      delayAfterPolicyCreationInMs: ignored("how long Pulumi waits"),
      path: ignored(NAMED),
    },
    { arn: z.string() },
  ),
};
