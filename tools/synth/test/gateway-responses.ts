import { describe, expect, test } from "vitest";

import { type Inputs, resourcesOfType, type Resource } from "../src/graph.ts";
import * as Read from "./read.ts";

/** Rules for the responses that the gateway makes without a function. */
export const gatewayResponses = (graphs: () => Read.Graphs) =>
  describe("the gateway's own responses", () => {
    test("every gateway error is problem+json with a code, the request id and CORS headers", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const responses = resourcesOfType(graph, "aws:apigateway/response:Response");
        const types = responses.map(({ inputs }): string => inputs.responseType);
        expect(new Set(types)).toEqual(new Set(everyType));
        expect(responses.map(({ inputs }) => problemOf(inputs))).toEqual(
          responses.map(({ inputs: { responseType, statusCode } }) => ({
            contentType: "application/problem+json",
            body: {
              type: "about:blank",
              title: "said",
              ...(statusCode && { status: Number(statusCode) }),
              code: `gateway.${responseType.toLowerCase()}`,
              requestId: "id",
            },
            origin: graph === graphs().production ? "'https://balde.example'" : "'*'",
          })),
        );
      }
    });

    test("a response type with one status sets it; one with several statuses does not", () => {
      const statuses = Object.fromEntries(
        resourcesOfType(graphs().laptop, "aws:apigateway/response:Response").map(({ inputs }) => [
          inputs.responseType,
          inputs.statusCode,
        ]),
      );
      expect(statuses).toMatchObject({
        UNAUTHORIZED: "401",
        ACCESS_DENIED: "403",
        MISSING_AUTHENTICATION_TOKEN: "403",
        THROTTLED: "429",
        REQUEST_TOO_LARGE: "413",
        INTEGRATION_TIMEOUT: "504",
      });
      const several = ["DEFAULT_4XX", "DEFAULT_5XX", "INTEGRATION_FAILURE"];
      expect(several.map((type) => statuses[type])).toEqual([undefined, undefined, undefined]);
    });

    test("GET /s3 requires the parameter image and reads only under images/", () => {
      const { laptop } = graphs();
      const { method, integration } = Read.endpoint(laptop, "GET /s3");
      const bucket = resourcesOfType(laptop, "aws:s3/bucket:Bucket")[0]!;
      const validator = resourcesOfType(
        laptop,
        "aws:apigateway/requestValidator:RequestValidator",
      )[0]!;
      expect(validator.inputs.validateRequestParameters).toBe(true);
      expect(method.inputs).toMatchObject({
        authorization: "NONE",
        requestValidatorId: validator.id,
        requestParameters: { "method.request.querystring.image": true },
      });
      expect(integration.inputs).toMatchObject({
        type: "AWS",
        httpMethod: "GET",
        integrationHttpMethod: "GET",
        uri: `arn:aws:apigateway:eu-central-1:s3:path/${bucket.id}/images/{image}`,
        requestParameters: {
          "integration.request.path.image": "method.request.querystring.image",
          "integration.request.header.If-None-Match": "method.request.header.If-None-Match",
          "integration.request.header.Range": "method.request.header.Range",
        },
      });
      const reader = Read.roles(laptop).find(
        ({ outputs }) => outputs.arn === integration.inputs.credentials,
      )!;
      expect(Read.permissionsOf(reader)).toEqual([
        { Effect: "Allow", Action: "s3:GetObject", Resource: `${bucket.outputs.arn}/images/*` },
      ]);
    });

    test("PUT /s3 writes under the token's owner and an accepted image type, and never overwrites", () => {
      const { laptop } = graphs();
      const { method, integration } = Read.endpoint(laptop, "PUT /s3");
      const bucket = resourcesOfType(laptop, "aws:s3/bucket:Bucket")[0]!;
      expect(method.inputs).toMatchObject({
        authorization: "COGNITO_USER_POOLS",
        requestParameters: {
          "method.request.querystring.image": true,
          "method.request.header.Content-Type": true,
        },
      });
      expect(integration.inputs).toMatchObject({
        type: "AWS",
        integrationHttpMethod: "PUT",
        uri: `arn:aws:apigateway:eu-central-1:s3:path/${bucket.id}/uploads/named/{owner}/{type}/name/{image}`,
        requestParameters: {
          "integration.request.path.owner": "context.authorizer.claims.sub",
          "integration.request.path.type": "method.request.header.Content-Type",
          "integration.request.path.image": "method.request.querystring.image",
          "integration.request.header.x-amz-meta-owner": "context.authorizer.claims.sub",
          "integration.request.header.x-amz-meta-time": "context.requestTimeEpoch",
          "integration.request.header.x-amz-meta-request": "context.extendedRequestId",
          "integration.request.header.If-None-Match": "'*'",
        },
      });
      const writer = Read.roles(laptop).find(
        ({ outputs }) => outputs.arn === integration.inputs.credentials,
      )!;
      const [permission, ...others] = Read.permissionsOf(writer);
      expect(others).toEqual([
        {
          Effect: "Deny",
          Action: "s3:PutObject",
          Resource: ["*/name/*/name/*", "*/*/*/*/name/*"].map(
            (pattern) => `${bucket.outputs.arn}/uploads/named/${pattern}`,
          ),
        },
      ]);
      expect(permission!.Action).toBe("s3:PutObject");
      const prefix = `${bucket.outputs.arn}/uploads/named/????????-????-????-????-????????????`;
      const types = ["image/?*", "Image/?*", "IMAGE/?*", "application/octet-stream"];
      expect(permission!.Resource).toEqual(types.map((type) => `${prefix}/${type}/name/*`));
    });

    test.each([
      ["GET /s3", meaningOf],
      ["HEAD /s3", meaningOf],
      ["PUT /s3", expectedStatusOfPut],
    ])("each S3 status of %s maps to exactly one response", (route, expectedStatusOfGet) => {
      const { responses } = Read.endpoint(graphs().laptop, route);
      const mapped = statuses.map((status) => {
        const fitting = responses.filter(
          ({ inputs }) =>
            inputs.selectionPattern &&
            new RegExp(`^(${inputs.selectionPattern})$`).test(`${status}`),
        );
        const [chosen = responses.find(({ inputs }) => !inputs.selectionPattern)!] = fitting;
        return {
          status,
          response: Number(chosen.inputs.statusCode),
          isAmbiguous: fitting.length > 1,
        };
      });
      expect(mapped).toEqual(
        statuses.map((status) => ({
          status,
          response: expectedStatusOfGet(status),
          isAmbiguous: false,
        })),
      );
    });

    test("GET /s3 passes the bytes through unchanged, with their ETag", () => {
      const pictures = Read.endpoint(graphs().laptop, "GET /s3").responses.filter(isPicture);
      expect(pictures.map(({ inputs }) => inputs.statusCode)).toEqual(["200", "206", "304"]);
      for (const { inputs } of pictures) {
        expect(inputs.responseParameters).toMatchObject({
          "method.response.header.ETag": "integration.response.header.ETag",
        });
        // only a 304, which has no bytes, has a template: for its content type
        const isUnmodified = inputs.statusCode === "304";
        expect(inputs.contentHandling).toBe(isUnmodified ? "CONVERT_TO_TEXT" : "CONVERT_TO_BINARY");
        expect(inputs.responseTemplates === undefined).toBe(!isUnmodified);
      }
    });

    test.each([
      ["GET /s3", ["400", "404", "416", "502"]],
      ["HEAD /s3", ["400", "404", "416", "502"]],
      ["PUT /s3", ["400", "409", "415", "502"]],
    ])("an error from %s is a problem, sent as text for every Accept header", (route, statuses) => {
      const errors = Read.endpoint(graphs().laptop, route).responses.filter(
        (response) => !isPicture(response),
      );
      expect(errors.map(({ inputs }) => inputs.statusCode)).toEqual(statuses);
      for (const { inputs } of errors) {
        expect(inputs.contentHandling).toBe("CONVERT_TO_TEXT");
        expect(inputs.responseParameters["method.response.header.Content-Type"]).toBe(
          "'application/problem+json'",
        );
        expect(JSON.parse(inputs.responseTemplates["application/json"].split("\n").at(-1))).toEqual(
          {
            type: "about:blank",
            title: expect.stringMatching(/^[A-Z]/),
            status: Number(inputs.statusCode),
            code: expect.stringMatching(/^[a-z]+\.[a-z_]+$/),
            requestId: "$context.requestId",
          },
        );
      }
    });

    test("every response of GET /s3 has the security headers", () => {
      const { responses } = Read.endpoint(graphs().laptop, "GET /s3");
      expect(responses).toHaveLength(7);
      for (const { inputs } of responses)
        expect(inputs.responseParameters).toMatchObject({
          "method.response.header.X-Content-Type-Options": "'nosniff'",
          "method.response.header.Content-Security-Policy": "'default-src; sandbox'",
          "method.response.header.Cross-Origin-Resource-Policy": "'cross-origin'",
        });
    });
  });

const isPicture = ({ inputs }: Resource) => Number(inputs.statusCode) < 400;

const statuses = Array.from({ length: 400 }, (_, index) => 200 + index);

function meaningOf(status: number) {
  if ([200, 206, 304, 416].includes(status)) return status;
  if ([403, 404].includes(status)) return 404;
  return status >= 400 && status < 500 ? 400 : 502;
}

function expectedStatusOfPut(status: number) {
  if (status === 200) return 202;
  if (status === 409 || status === 412) return 409;
  if (status === 403) return 415;
  return status >= 400 && status < 500 ? 400 : 502;
}

function problemOf({ responseTemplates, responseParameters }: Inputs) {
  const [[contentType, template]] = Object.entries<string>(responseTemplates) as [[string, string]];
  return {
    contentType,
    body: JSON.parse(
      template
        .replace("$context.error.messageString", '"said"')
        .replace("$context.requestId", "id"),
    ),
    origin: responseParameters["gatewayresponse.header.Access-Control-Allow-Origin"],
  };
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
const everyType = [
  "ACCESS_DENIED",
  "API_CONFIGURATION_ERROR",
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
  "BAD_REQUEST_BODY",
  "BAD_REQUEST_PARAMETERS",
  "DEFAULT_4XX",
  "DEFAULT_5XX",
  "EXPIRED_TOKEN",
  "INTEGRATION_FAILURE",
  "INTEGRATION_TIMEOUT",
  "INVALID_API_KEY",
  "INVALID_SIGNATURE",
  "MISSING_AUTHENTICATION_TOKEN",
  "QUOTA_EXCEEDED",
  "REQUEST_TOO_LARGE",
  "RESOURCE_NOT_FOUND",
  "THROTTLED",
  "UNAUTHORIZED",
  "UNSUPPORTED_MEDIA_TYPE",
  "WAF_FILTERED",
];
