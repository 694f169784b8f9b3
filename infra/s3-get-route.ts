import * as Cors from "./cors.ts";
import * as S3Responses from "./s3-responses.ts";
import { gateway, parameters } from "./gateway.ts";
import * as Settings from "./settings.ts";
import { images } from "./storage.ts";

const { region } = Settings.ofStage($app.stage);

/** The role of the gateway: it may read published images, and may not list the bucket. */
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

const objectHeaders = S3Responses.passHeaders(
  "Content-Type",
  "ETag",
  "Last-Modified",
  "Cache-Control",
  "Accept-Ranges",
);

/**
 * The content type of a 304. S3 sends none with it, and the gateway would write `application/json`, which a cache may store
 * with the image (RFC 9111, section 3.2). The name says what the image most likely is, and every answer is an image.
 */
const typeByName = [
  `#set($name = $input.params("image").toLowerCase())`,
  `#set($type = "image/jpeg")`,
  ...["png", "gif", "webp"].map(
    (extension) => `#if($name.endsWith(".${extension}"))#set($type = "image/${extension}")#end`,
  ),
  `#set($context.responseOverride.header.Content-Type = $type)`,
].join("");

/** By the status that the client receives. */
const responses: Record<string, S3Responses.S3Response> = {
  "200": { pattern: "200", headers: objectHeaders },
  "206": {
    pattern: "206",
    headers: { ...objectHeaders, ...S3Responses.passHeaders("Content-Range") },
  },
  "304": {
    pattern: "304",
    // declared, so that the template can override it
    headers: {
      ...S3Responses.passHeaders("ETag", "Cache-Control"),
      "Content-Type": Cors.constant("image/jpeg"),
    },
    template: typeByName,
  },
  "400": {
    pattern: String.raw`4(0[0-25-9]|1[0-57-9]|[2-9]\d)`,
    headers: {},
    problem: {
      title: "The image cannot be read: a parameter or header of the request is not valid",
      code: "picture.unreadable",
    },
  },
  "404": {
    // without ListBucket, S3 answers 403 for a key that does not exist
    pattern: "40[34]",
    headers: {},
    problem: { title: "There is no image with this name", code: "picture.missing" },
  },
  "416": {
    pattern: "416",
    headers: S3Responses.passHeaders("Content-Range"),
    problem: {
      title: "The range is outside the image",
      code: "range.unsatisfiable",
    },
  },
  "502": {
    headers: {},
    problem: {
      title: "The image storage does not respond; try again later",
      code: "store.unavailable",
    },
  },
};

/** `GET` and `HEAD` of `/s3?image=NAME`: the gateway asks the bucket for `images/NAME` itself, no function runs. */
for (const method of ["GET", "HEAD"] as const) {
  const name = method === "GET" ? "GetS3" : "HeadS3";
  const route = gateway.routeIntegration(
    `${method} /s3`,
    {
      type: "aws",
      // of a HEAD, too, so that it has the headers of the GET: the length of the empty answer of S3's HEAD would be 0
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
      name,
      transform: {
        method: (args) => {
          args.requestValidatorId = parameters.id;
          args.requestParameters = {
            "method.request.querystring.image": true,
            "method.request.header.If-None-Match": false,
            "method.request.header.Range": false,
          };
          return undefined;
        },
      },
    },
  ).nodes;
  S3Responses.addResponses(name, route, responses);
}
