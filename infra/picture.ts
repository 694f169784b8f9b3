import * as Cors from "./cors.ts";
import { gateway, parameters, part, restApi } from "./gateway.ts";
import * as Settings from "./settings.ts";
import { images } from "./storage.ts";

const { region } = Settings.of($app.stage);

/** What the gateway may do in the bucket: read what is published, nothing else, and not list. */
const reader = new aws.iam.Role("ApiPictureReader", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "apigateway.amazonaws.com" }),
  inlinePolicies: [
    {
      name: "read-published",
      policy: $jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: $interpolate`${images.arn}/images/*`,
          },
        ],
      }),
    },
  ],
});

/** `GET /s3?image=NAME`: the gateway fetches `images/NAME` itself, no function runs. */
const route = gateway.routeIntegration(
  "GET /s3",
  {
    type: "aws",
    integrationHttpMethod: "GET",
    uri: $interpolate`arn:aws:apigateway:${region}:s3:path/${images.name}/images/{image}`,
    credentials: reader.arn,
    requestParameters: {
      "integration.request.path.image": "method.request.querystring.image",
      "integration.request.header.If-None-Match": "method.request.header.If-None-Match",
      "integration.request.header.Range": "method.request.header.Range",
    },
    passthroughBehavior: "when-no-match",
  },
  {
    name: "GetS3",
    transform: {
      method: (method) => {
        method.requestValidatorId = parameters.id;
        method.requestParameters = {
          "method.request.querystring.image": true,
          "method.request.header.If-None-Match": false,
          "method.request.header.Range": false,
        };
        return undefined;
      },
    },
  },
).nodes;

type Answer = {
  /** Of S3's status; none means every other one. Patterns must not overlap: AWS does not say which one would win. */
  pattern?: string;
  /** Header of the answer to what S3 sent, or to a constant. */
  headers: Record<string, string>;
  problem?: { title: string; code: string };
};

const fromS3 = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `integration.response.header.${name}`]));

const picture = fromS3("Content-Type", "ETag", "Last-Modified", "Cache-Control", "Accept-Ranges");

const answers: Record<string, Answer> = {
  "200": { pattern: "200", headers: picture },
  "206": { pattern: "206", headers: { ...picture, ...fromS3("Content-Range") } },
  "304": { pattern: "304", headers: fromS3("ETag", "Cache-Control") },
  "400": {
    pattern: String.raw`4(0[0-25-9]|1[0-57-9]|[2-9]\d)`,
    headers: {},
    problem: { title: "The picture cannot be read with this request", code: "picture.unreadable" },
  },
  "404": {
    // without ListBucket, S3 says 403 of a key that does not exist
    pattern: "40[34]",
    headers: {},
    problem: { title: "There is no picture of this name", code: "picture.missing" },
  },
  "416": {
    pattern: "416",
    headers: fromS3("Content-Range"),
    problem: {
      title: "The picture does not reach as far as this range",
      code: "range.unsatisfiable",
    },
  },
  "502": {
    headers: {},
    problem: { title: "The store of pictures does not answer", code: "store.unavailable" },
  },
};

/** Said with every answer, since what is in a bucket came from a stranger. */
const safety = {
  "X-Content-Type-Options": Cors.constant("nosniff"),
  // no source is 'none'; a constant of API Gateway stands in quotes and has none inside
  "Content-Security-Policy": Cors.constant("default-src; sandbox"),
  "Cross-Origin-Resource-Policy": Cors.constant("cross-origin"),
  "Access-Control-Allow-Origin": Cors.constant(Cors.constantOrigin),
  "Access-Control-Expose-Headers": Cors.constant(Cors.exposedHeaders),
};

for (const [statusCode, { pattern, headers, problem }] of Object.entries(answers)) {
  const responseParameters = Object.fromEntries(
    Object.entries({
      ...safety,
      ...headers,
      ...(problem && { "Content-Type": Cors.constant("application/problem+json") }),
    }).map(([header, value]) => [`method.response.header.${header}`, value]),
  );
  const target = {
    restApi: restApi.id,
    resourceId: route.integration.resourceId,
    httpMethod: route.method.httpMethod,
    statusCode,
  };
  const response = part(
    new aws.apigateway.MethodResponse(`ApiGetS3Response${statusCode}`, {
      ...target,
      responseParameters: Object.fromEntries(
        Object.keys(responseParameters).map((header) => [header, true]),
      ),
    }),
  );
  part(
    new aws.apigateway.IntegrationResponse(
      `ApiGetS3IntegrationResponse${statusCode}`,
      {
        ...target,
        selectionPattern: pattern,
        responseParameters,
        // The bytes as they are, whatever `Accept` begins with. A template needs text: without the conversion a browser's
        // `Accept: image/avif,…` turns S3's XML into a 500.
        contentHandling: problem ? "CONVERT_TO_TEXT" : "CONVERT_TO_BINARY",
        responseTemplates: problem && { "application/json": template(Number(statusCode), problem) },
      },
      { dependsOn: [route.integration, response] },
    ),
  );
}

function template(status: number, { title, code }: { title: string; code: string }) {
  const known = { type: "about:blank", title, status, code };
  return JSON.stringify(known).replace(/}$/, ',"requestId":"$context.requestId"}');
}
