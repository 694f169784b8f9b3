import { createHash } from "node:crypto";

import type { Inputs } from "./graph.ts";

/** The made-up account of every offline graph. */
export const account = "123456789012";

export type ResourceOutput = { id: string; outputs: Inputs };

type Location = { region: string };
type Maker = (name: string, inputs: Inputs, place: Location) => ResourceOutput;

/**
 * The id and outputs that AWS would add to a resource: made up, but with the right shape and the same on every run.
 *
 * @throws Error for a type that is not listed here
 */
export function outputsOf(
  type: string,
  name: string,
  inputs: Inputs,
  place: Location,
): ResourceOutput {
  const maker = makers[type];
  if (!maker)
    throw new Error(
      `the outputs of ${type} (${name}) are unknown: add the type in tools/synth/src/resource-outputs.ts`,
    );
  return maker(name, inputs, place);
}

const makers: Record<string, Maker> = {
  "aws:apigateway/account:Account": () => ({
    id: "api-gateway-account",
    // set up once per account and region, by the first stack
    outputs: {
      cloudwatchRoleArn: `arn:aws:iam::${account}:role/APIGatewayPushToCloudWatchLogsRole`,
    },
  }),
  // AWS generates the value at a deploy; a laptop generates its own
  "aws:apigateway/apiKey:ApiKey": (name, inputs) => ({
    id: short(name, 10),
    outputs: { ...(!inputs.value && { value: `secret://${name}` }) },
  }),
  "aws:apigateway/authorizer:Authorizer": (name, inputs, { region }) => {
    const id = short(name, 6);
    return {
      id,
      outputs: {
        arn: `arn:aws:apigateway:${region}::/restapis/${inputs.restApi}/authorizers/${id}`,
      },
    };
  },
  "aws:apigateway/deployment:Deployment": (name) => ({ id: short(name, 6), outputs: {} }),
  "aws:apigateway/integration:Integration": (_, inputs) => ({
    id: ofMethod("agi", inputs),
    outputs: {},
  }),
  "aws:apigateway/integrationResponse:IntegrationResponse": (_, inputs) => ({
    id: `${ofMethod("agir", inputs)}-${inputs.statusCode}`,
    outputs: {},
  }),
  "aws:apigateway/method:Method": (_, inputs) => ({ id: ofMethod("agm", inputs), outputs: {} }),
  "aws:apigateway/methodResponse:MethodResponse": (_, inputs) => ({
    id: `${ofMethod("agmr", inputs)}-${inputs.statusCode}`,
    outputs: {},
  }),
  "aws:apigateway/methodSettings:MethodSettings": (_, inputs) => ({
    id: `${inputs.restApi}-${inputs.stageName}-${inputs.methodPath}`,
    outputs: {},
  }),
  "aws:apigateway/model:Model": (name) => ({ id: short(name, 6), outputs: {} }),
  "aws:apigateway/requestValidator:RequestValidator": (name) => ({
    id: short(name, 6),
    outputs: {},
  }),
  "aws:apigateway/resource:Resource": (name) => ({ id: short(name, 6), outputs: {} }),
  "aws:apigateway/response:Response": (_, inputs) => ({
    id: `aggr-${inputs.restApiId}-${inputs.responseType}`,
    outputs: {},
  }),
  "aws:apigateway/restApi:RestApi": (name, _, { region }) => {
    const id = short(name, 10);
    return {
      id,
      outputs: {
        arn: `arn:aws:apigateway:${region}::/restapis/${id}`,
        executionArn: `arn:aws:execute-api:${region}:${account}:${id}`,
        rootResourceId: short(`${name} root`, 10),
      },
    };
  },
  "aws:apigateway/stage:Stage": (_, inputs, { region }) => ({
    id: `ags-${inputs.restApi}-${inputs.stageName}`,
    outputs: {
      arn: `arn:aws:apigateway:${region}::/restapis/${inputs.restApi}/stages/${inputs.stageName}`,
      executionArn: `arn:aws:execute-api:${region}:${account}:${inputs.restApi}/${inputs.stageName}`,
      invokeUrl: `https://${inputs.restApi}.execute-api.${region}.amazonaws.com/${inputs.stageName}`,
    },
  }),
  "aws:apigateway/usagePlan:UsagePlan": (name, inputs, { region }) => {
    const id = short(name, 6);
    return {
      id,
      outputs: {
        arn: `arn:aws:apigateway:${region}::/usageplans/${id}`,
        // the provider's own default
        ...(!inputs.name && { name }),
      },
    };
  },
  "aws:apigateway/usagePlanKey:UsagePlanKey": (_, inputs) => ({ id: inputs.keyId, outputs: {} }),
  "aws:apigatewayv2/api:Api": (name, _, { region }) => {
    const id = short(name, 10);
    return {
      id,
      outputs: {
        arn: `arn:aws:apigateway:${region}::/apis/${id}`,
        apiEndpoint: `wss://${id}.execute-api.${region}.amazonaws.com`,
        executionArn: `arn:aws:execute-api:${region}:${account}:${id}`,
      },
    };
  },
  "aws:apigatewayv2/authorizer:Authorizer": (name) => ({ id: short(name, 6), outputs: {} }),
  "aws:apigatewayv2/integration:Integration": (name) => ({ id: short(name, 7), outputs: {} }),
  "aws:apigatewayv2/route:Route": (name) => ({ id: short(name, 7), outputs: {} }),
  "aws:apigatewayv2/routeResponse:RouteResponse": (name) => ({ id: short(name, 7), outputs: {} }),
  "aws:apigatewayv2/stage:Stage": (_, inputs, { region }) => ({
    id: inputs.name,
    outputs: {
      arn: `arn:aws:apigateway:${region}::/apis/${inputs.apiId}/stages/${inputs.name}`,
      executionArn: `arn:aws:execute-api:${region}:${account}:${inputs.apiId}/${inputs.name}`,
      invokeUrl: `wss://${inputs.apiId}.execute-api.${region}.amazonaws.com/${inputs.name}`,
    },
  }),
  "aws:cloudwatch/eventRule:EventRule": (name, inputs, { region }) => {
    const rule = inputs.name ?? `${name}-${short(name, 7)}`;
    return {
      id: rule,
      outputs: {
        arn: `arn:aws:events:${region}:${account}:rule/${rule}`,
        ...(!inputs.name && { name: rule }),
      },
    };
  },
  "aws:cloudwatch/eventTarget:EventTarget": (name, inputs) => ({
    id: `${inputs.rule}-${inputs.targetId ?? name}`,
    outputs: {},
  }),
  "aws:cloudwatch/logGroup:LogGroup": (_, inputs, { region }) => ({
    id: inputs.name,
    outputs: { arn: `arn:aws:logs:${region}:${account}:log-group:${inputs.name}` },
  }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": (name, inputs, { region }) => {
    // the provider's own default
    const alarm = inputs.name ?? `${name}-${short(name, 7)}`;
    return {
      id: alarm,
      outputs: {
        arn: `arn:aws:cloudwatch:${region}:${account}:alarm:${alarm}`,
        ...(!inputs.name && { name: alarm }),
      },
    };
  },
  "aws:cognito/userPool:UserPool": (name, _, { region }) => {
    const id = `${region}_${short(name, 9, mixed)}`;
    return {
      id,
      outputs: {
        arn: `arn:aws:cognito-idp:${region}:${account}:userpool/${id}`,
        endpoint: `cognito-idp.${region}.amazonaws.com/${id}`,
      },
    };
  },
  // a client without a secret has an empty one in the provider's state
  "aws:cognito/userPoolClient:UserPoolClient": (name, inputs) => ({
    id: short(name, 26),
    outputs: { clientSecret: inputs.generateSecret ? `secret://${name}` : "" },
  }),
  "aws:dynamodb/table:Table": (_, inputs, { region }) => {
    const arn = `arn:aws:dynamodb:${region}:${account}:table/${inputs.name}`;
    const streamLabel = "2026-01-01T00:00:00.000";
    return {
      id: inputs.name,
      outputs: {
        arn,
        ...(inputs.streamEnabled && { streamArn: `${arn}/stream/${streamLabel}`, streamLabel }),
      },
    };
  },
  "aws:iam/role:Role": (name, inputs) => {
    const id = inputs.name ?? `${name}-${short(name, 7)}`;
    return {
      id,
      outputs: {
        name: id,
        arn: `arn:aws:iam::${account}:role/${id}`,
        uniqueId: `AROA${short(name, 17, upper)}`,
      },
    };
  },
  "aws:lambda/eventSourceMapping:EventSourceMapping": (name, inputs, { region }) => {
    const id = uuid(name);
    return {
      id,
      outputs: {
        arn: `arn:aws:lambda:${region}:${account}:event-source-mapping:${id}`,
        functionArn: inputs.functionName,
        uuid: id,
      },
    };
  },
  "aws:lambda/function:Function": (_, inputs, { region }) => {
    const arn = `arn:aws:lambda:${region}:${account}:function:${inputs.name}`;
    const gateway = `arn:aws:apigateway:${region}:lambda:path`;
    return {
      id: inputs.name,
      outputs: {
        arn,
        invokeArn: `${gateway}/2015-03-31/functions/${arn}/invocations`,
        qualifiedArn: `${arn}:$LATEST`,
        qualifiedInvokeArn: `${gateway}/2015-03-31/functions/${arn}:$LATEST/invocations`,
        responseStreamingInvokeArn: `${gateway}/2021-11-15/functions/${arn}/response-streaming-invocations`,
        version: "$LATEST",
      },
    };
  },
  "aws:lambda/permission:Permission": (name) => ({ id: name, outputs: { statementId: name } }),
  "aws:s3/bucket:Bucket": (_, inputs, { region }) => ({
    id: inputs.bucket,
    outputs: {
      arn: `arn:aws:s3:::${inputs.bucket}`,
      bucketDomainName: `${inputs.bucket}.s3.amazonaws.com`,
      bucketRegionalDomainName: `${inputs.bucket}.s3.${region}.amazonaws.com`,
    },
  }),
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": ofBucket,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket,
  "aws:s3/bucketNotification:BucketNotification": ofBucket,
  "aws:s3/bucketObjectv2:BucketObjectv2": (_, inputs) => ({ id: inputs.key, outputs: {} }),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ofBucket,
  "aws:s3/bucketPolicy:BucketPolicy": ofBucket,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket,
  "aws:s3/bucketVersioning:BucketVersioning": ofBucket,
  "aws:sns/topic:Topic": (name, inputs, { region }) => {
    const topic = inputs.name ?? `${name}-${short(name, 7)}`;
    const arn = `arn:aws:sns:${region}:${account}:${topic}`;
    return { id: arn, outputs: { arn, ...(!inputs.name && { name: topic }) } };
  },
  "aws:sns/topicSubscription:TopicSubscription": (name, inputs) => {
    const arn = `${inputs.topic}:${uuid(name)}`;
    return { id: arn, outputs: { arn } };
  },
  "aws:sqs/queue:Queue": (_, inputs, { region }) => {
    const url = `https://sqs.${region}.amazonaws.com/${account}/${inputs.name}`;
    return { id: url, outputs: { arn: `arn:aws:sqs:${region}:${account}:${inputs.name}`, url } };
  },
  "aws:sqs/queuePolicy:QueuePolicy": (_, inputs) => ({ id: inputs.queueUrl, outputs: {} }),
  "aws:wafv2/webAcl:WebAcl": (name, inputs, { region }) => {
    const acl = inputs.name ?? `${name}-${short(name, 7)}`;
    const id = uuid(name);
    return {
      id,
      outputs: {
        arn: `arn:aws:wafv2:${region}:${account}:regional/webacl/${acl}/${id}`,
        ...(!inputs.name && { name: acl }),
      },
    };
  },
  "aws:wafv2/webAclAssociation:WebAclAssociation": (_, inputs) => ({
    id: `${inputs.webAclArn},${inputs.resourceArn}`,
    outputs: {},
  }),
  // the graph contains no secret: a deploy and a laptop each draw their own random values
  "random:index/randomBytes:RandomBytes": (name) => ({
    id: name,
    outputs: { base64: `secret://${name}`, hex: `secret://${name}` },
  }),
  "random:index/randomPassword:RandomPassword": (name) => ({
    id: "none",
    outputs: { result: `secret://${name}`, bcryptHash: `secret://${name}` },
  }),
};

function ofBucket(_name: string, inputs: Inputs): ResourceOutput {
  return { id: inputs.bucket, outputs: {} };
}

function ofMethod(prefix: string, inputs: Inputs) {
  return `${prefix}-${inputs.restApi}-${inputs.resourceId}-${inputs.httpMethod}`;
}

const lower = "abcdefghijklmnopqrstuvwxyz0123456789";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const mixed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

function short(seed: string, length: number, alphabet = lower) {
  const bytes = createHash("sha256").update(seed).digest();
  return Array.from({ length }, (_, index) => alphabet[bytes[index]! % alphabet.length]).join("");
}

function uuid(seed: string) {
  const hex = createHash("sha256").update(seed).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
