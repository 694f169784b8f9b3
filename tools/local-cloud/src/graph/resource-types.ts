import type * as z from "zod/mini";

import { apigateway } from "./apigateway.ts";
import { apigatewayv2 } from "./apigatewayv2.ts";
import { cognito } from "./cognito.ts";
import { dynamodb } from "./dynamodb.ts";
import { eventbridge } from "./eventbridge.ts";
import { iam } from "./iam.ts";
import { lambda } from "./lambda.ts";
import { s3 } from "./s3.ts";
import { sqs } from "./sqs.ts";
import { wafv2 } from "./wafv2.ts";

/** Every resource type that is read, with its properties. */
export const RESOURCE_TYPES = {
  ...apigateway,
  ...apigatewayv2,
  ...cognito,
  ...dynamodb,
  ...eventbridge,
  ...iam,
  ...lambda,
  ...s3,
  ...sqs,
  ...wafv2,
};

export type ResourceType = keyof typeof RESOURCE_TYPES;

export type Inputs<Type extends ResourceType> = z.infer<(typeof RESOURCE_TYPES)[Type]["inputs"]>;
export type Outputs<Type extends ResourceType> = z.infer<(typeof RESOURCE_TYPES)[Type]["outputs"]>;

/** Version 6 of AWS's Pulumi provider has a second name for some types; the properties are the same. */
export function currentName(type: string): string {
  return type.replace(/^(aws:s3\/bucket\w*)V2:(Bucket\w*)V2$/, "$1:$2");
}

export const isRead = (type: string): type is ResourceType => Object.hasOwn(RESOURCE_TYPES, type);
