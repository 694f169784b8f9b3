import * as S3Responses from "./s3-responses.ts";
import { authorizer, gateway, parameters } from "./gateway.ts";
import * as Settings from "./settings.ts";
import { images } from "./storage.ts";

const { region } = Settings.of($app.stage);

/** What may be sent here: what `POST /v1/uploads` takes (a test compares them). */
const types = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/gif",
  "image/tiff",
  "image/svg+xml",
];

/**
 * The content type is refused by this role. API Gateway itself cannot do it: a request validator asks whether a header is
 * there, never what it says, and `passthroughBehavior: NEVER` refuses every type without a template, but a template cannot
 * be applied to bytes (500), so none can let a picture through unchanged. Therefore the type is a part of the key, and the
 * role may write under these types only: S3 refuses every other with 403. A person's id has 36 characters, so no name can
 * move the type to another place. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
const writer = new aws.iam.Role("ApiNamedWriter", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "apigateway.amazonaws.com" }),
  inlinePolicies: [
    {
      name: "write-named-uploads",
      policy: $jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "s3:PutObject",
            Resource: types.map(
              (type) => $interpolate`${images.arn}/uploads/named/${uuid()}/${type}/*`,
            ),
          },
        ],
      }),
    },
  ],
});

/** `PUT /s3?image=NAME`: the gateway writes the body into the bucket, no function runs; the bucket's event brings it to ingest. */
const route = gateway.routeIntegration(
  "PUT /s3",
  {
    type: "aws",
    integrationHttpMethod: "PUT",
    uri: $interpolate`arn:aws:apigateway:${region}:s3:path/${images.name}/uploads/named/{owner}/{type}/{image}`,
    credentials: writer.arn,
    requestParameters: {
      // who it is says the token, nothing that was sent
      "integration.request.path.owner": "context.authorizer.claims.sub",
      "integration.request.path.type": "method.request.header.Content-Type",
      "integration.request.path.image": "method.request.querystring.image",
      // AWS does not say what it makes of `..` in a path, so ingest compares the key with this
      "integration.request.header.x-amz-meta-owner": "context.authorizer.claims.sub",
      // never over an upload that still waits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
      "integration.request.header.If-None-Match": "'*'",
    },
    passthroughBehavior: "when-no-match",
  },
  {
    name: "PutS3",
    auth: { cognito: { authorizer: authorizer.id } },
    transform: {
      method: (method) => {
        method.requestValidatorId = parameters.id;
        method.requestParameters = {
          "method.request.querystring.image": true,
          "method.request.header.Content-Type": true,
        };
        return undefined;
      },
    },
  },
).nodes;

S3Responses.answer("PutS3", route, {
  // stored, not looked at: whether it is a picture and the name is free, the person's own list says in a moment
  "202": {
    pattern: "200",
    headers: { Location: "'v1/me/images'" },
    json: { state: "pending" },
  },
  "400": {
    pattern: String.raw`4(0[0-24-8]|1[013-9]|[2-9]\d)`,
    headers: {},
    problem: { title: "The picture cannot be stored with this request", code: "upload.refused" },
  },
  "409": {
    pattern: "409|412",
    headers: {},
    problem: {
      title: "A picture that you sent under this name is still being looked at",
      code: "upload.waiting",
    },
  },
  "415": {
    pattern: "403",
    headers: {},
    problem: {
      title: `Not a type of picture that is taken; these are: ${types.join(", ")}`,
      code: "upload.unsupported_type",
    },
  },
  "502": {
    headers: {},
    problem: { title: "The store of pictures does not answer", code: "store.unavailable" },
  },
});

/** As a pattern of IAM's, in which `?` is any one character. */
function uuid() {
  return [8, 4, 4, 4, 12].map((length) => "?".repeat(length)).join("-");
}
