import * as z from "zod/mini";

import {
  ignored,
  object,
  only,
  optionalBoolean,
  optionalNumber,
  optionalString,
  optionalStrings,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const NO_CACHE = "there is no cache unless the stage has one, which is refused";
const PROVIDER = "it tells Pulumi's provider how to work";
const FOR_GENERATORS = "it describes the API to generators of clients and documents";
const FOR_BILLS = "a reference for bills";
const READ_ANEW = "AWS deploys again when it changes; the graph is read at each start";

const strings = z.optional(z.record(z.string(), z.string()));
const flags = z.optional(z.record(z.string(), z.boolean()));

const contentHandling = only("CONVERT_TO_BINARY", "CONVERT_TO_TEXT");

/** Which method a resource is of. */
const ofMethod = { restApi: z.string(), resourceId: z.string(), httpMethod: z.string() };

const endpointType = requiredOneOf("REGIONAL", "EDGE");

const throttle = { burstLimit: optionalNumber, rateLimit: optionalNumber };

/** REST APIs. */
export const apigateway = {
  "aws:apigateway/restApi:RestApi": resourceType(
    {
      apiKeySource: z.optional(requiredOneOf("HEADER", "AUTHORIZER")),
      binaryMediaTypes: optionalStrings,
      endpointConfiguration: z.optional(
        object({
          types: z.optional(z.union([endpointType, z.array(endpointType)])),
          ipAddressType: ignored("a laptop is reached by its loopback address"),
        }),
      ),
      policy: optionalString,
      failOnWarnings: ignored(PROVIDER),
      putRestApiMode: ignored(PROVIDER),
      securityPolicy: ignored("which TLS a client may speak; a laptop has none"),
    },
    { executionArn: optionalString, rootResourceId: optionalString },
  ),
  "aws:apigateway/resource:Resource": resourceType(
    { restApi: z.string(), parentId: z.string(), pathPart: z.string() },
    {},
  ),
  "aws:apigateway/method:Method": resourceType(
    {
      ...ofMethod,
      authorization: requiredOneOf("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
      authorizerId: optionalString,
      authorizationScopes: optionalStrings,
      apiKeyRequired: optionalBoolean,
      requestModels: strings,
      requestParameters: flags,
      requestValidatorId: optionalString,
      operationName: ignored(FOR_GENERATORS),
    },
    {},
  ),
  "aws:apigateway/integration:Integration": resourceType(
    {
      ...ofMethod,
      type: requiredOneOf("MOCK", "AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY"),
      integrationHttpMethod: optionalString,
      uri: optionalString,
      credentials: optionalString,
      requestParameters: strings,
      requestTemplates: strings,
      timeoutMilliseconds: optionalNumber,
      connectionType: only("INTERNET"),
      contentHandling,
      passthroughBehavior: only("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
      responseTransferMode: only("BUFFERED", "STREAM"),
      cacheNamespace: ignored(NO_CACHE),
      cacheKeyParameters: ignored(NO_CACHE),
    },
    {},
  ),
  "aws:apigateway/methodResponse:MethodResponse": resourceType(
    {
      ...ofMethod,
      statusCode: z.string(),
      responseParameters: flags,
      responseModels: ignored(FOR_GENERATORS),
    },
    {},
  ),
  "aws:apigateway/integrationResponse:IntegrationResponse": resourceType(
    {
      ...ofMethod,
      statusCode: z.string(),
      selectionPattern: optionalString,
      responseParameters: strings,
      responseTemplates: strings,
      contentHandling,
    },
    {},
  ),
  "aws:apigateway/response:Response": resourceType(
    {
      restApiId: z.string(),
      responseType: z.string(),
      statusCode: optionalString,
      responseTemplates: strings,
      responseParameters: strings,
    },
    {},
  ),
  "aws:apigateway/requestValidator:RequestValidator": resourceType(
    {
      restApi: z.string(),
      validateRequestBody: optionalBoolean,
      validateRequestParameters: optionalBoolean,
    },
    {},
  ),
  "aws:apigateway/model:Model": resourceType(
    {
      restApi: z.string(),
      name: z.string(),
      schema: z.string(),
      contentType: optionalString,
    },
    {},
  ),
  "aws:apigateway/authorizer:Authorizer": resourceType(
    {
      restApi: z.string(),
      type: only("TOKEN", "REQUEST", "COGNITO_USER_POOLS"),
      authorizerUri: optionalString,
      authorizerCredentials: optionalString,
      authorizerResultTtlInSeconds: optionalNumber,
      identitySource: optionalString,
      identityValidationExpression: optionalString,
      providerArns: optionalStrings,
    },
    {},
  ),
  "aws:apigateway/deployment:Deployment": resourceType(
    { restApi: z.string(), variables: strings, triggers: ignored(READ_ANEW) },
    {},
  ),
  "aws:apigateway/stage:Stage": resourceType(
    {
      restApi: z.string(),
      deployment: z.string(),
      stageName: z.string(),
      variables: strings,
      xrayTracingEnabled: optionalBoolean,
      accessLogSettings: z.optional(
        object({ destinationArn: optionalString, format: optionalString }),
      ),
      documentationVersion: ignored(FOR_GENERATORS),
    },
    {},
  ),
  "aws:apigateway/methodSettings:MethodSettings": resourceType(
    {
      restApi: z.string(),
      stageName: z.string(),
      methodPath: z.string(),
      settings: z.optional(
        object({
          throttlingRateLimit: optionalNumber,
          throttlingBurstLimit: optionalNumber,
          metricsEnabled: ignored("metrics go to CloudWatch, which is not emulated"),
          loggingLevel: ignored("a line per request is printed in the log"),
          dataTraceEnabled: ignored("a line per request is printed in the log"),
        }),
      ),
    },
    {},
  ),
  "aws:apigateway/apiKey:ApiKey": resourceType(
    { value: optionalString, enabled: optionalBoolean, customerId: ignored(FOR_BILLS) },
    { value: optionalString },
  ),
  "aws:apigateway/usagePlan:UsagePlan": resourceType(
    {
      apiStages: z.optional(
        z.array(
          object({
            apiId: z.string(),
            stage: z.string(),
            throttles: z.optional(z.array(object({ path: z.string(), ...throttle }))),
          }),
        ),
      ),
      quotaSettings: z.optional(
        object({
          limit: z.number(),
          offset: optionalNumber,
          period: requiredOneOf("DAY", "WEEK", "MONTH"),
        }),
      ),
      throttleSettings: z.optional(object(throttle)),
      productCode: ignored(FOR_BILLS),
    },
    {},
  ),
  "aws:apigateway/usagePlanKey:UsagePlanKey": resourceType(
    { keyId: z.string(), keyType: requiredOneOf("API_KEY"), usagePlanId: z.string() },
    {},
  ),
  "aws:apigateway/restApiPolicy:RestApiPolicy": resourceType(
    { restApiId: z.string(), policy: z.string() },
    {},
  ),
};
