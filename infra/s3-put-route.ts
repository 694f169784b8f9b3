import * as S3Responses from "./s3-responses.ts";
import { authorizer, gateway, parameters } from "./gateway.ts";
import * as Settings from "./settings.ts";
import { images } from "./storage.ts";

const { region } = Settings.ofStage($app.stage);

/** The types that may be declared: any of an image, as clients write it, or none in particular. The bytes decide what the image is. */
const types = ["image/?*", "Image/?*", "IMAGE/?*", "application/octet-stream"];

/**
 * This role rejects other content types, because API Gateway cannot: a request validator checks that a header is present, not
 * its value, and `passthroughBehavior: NEVER` rejects every type without a template, but a template cannot be applied to
 * bytes (500). Therefore the type is a part of the key, and the role may write under these types only: S3 rejects every other
 * with 403. `/name/` ends the type. A type with a second slash, and a key with `/name/` twice, are denied, so that no type
 * ends itself. A user's id has 36 characters, so no name can move the type to another place in the key.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
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
              (type) => $interpolate`${images.arn}/uploads/named/${uuid()}/${type}/name/*`,
            ),
          },
          {
            Effect: "Deny",
            Action: "s3:PutObject",
            Resource: ["*/name/*/name/*", "*/*/*/*/name/*"].map(
              (pattern) => $interpolate`${images.arn}/uploads/named/${pattern}`,
            ),
          },
        ],
      }),
    },
  ],
});

/**
 * VTL that makes the image's id of the request's time and id, as `Id.ofRequest` of packages/core/src/id.ts does: 10 letters of
 * the time to base 32, 16 of the request. The time is divided in two numbers of seven and six digits, because its 13 digits
 * are more than an integer of VTL has.
 */
const imageId = [
  `#set($letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ")`,
  `#set($time = "$context.requestTimeEpoch")`,
  `#set($high = 0)`,
  `#set($low = 0)`,
  `#foreach($at in [0..12])`,
  `#set($after = $at + 1)`,
  `#set($digit = $letters.indexOf($time.substring($at, $after)))`,
  `#if($at < 7)#set($high = $high * 10 + $digit)#else#set($low = $low * 10 + $digit)#end`,
  `#end`,
  `#set($id = "")`,
  `#foreach($at in [1..10])`,
  `#set($rest = $high % 32)`,
  `#set($high = ($high - $rest) / 32)`,
  `#set($low = $rest * 1000000 + $low)`,
  `#set($index = $low % 32)`,
  `#set($low = ($low - $index) / 32)`,
  `#set($after = $index + 1)`,
  `#set($id = "$letters.substring($index, $after)$id")`,
  `#end`,
  `#set($request = "$context.extendedRequestId")`,
  `#set($request = "${"$"}{request}0000000000000000")`,
  `#set($request = $request.toUpperCase().replaceAll("[^0-9A-HJKMNP-TV-Z]", "0").substring(0, 16))`,
  `#set($id = "img_$id$request")`,
].join("");

/** `PUT /s3?image=NAME`: the gateway writes the body into the bucket, no function runs; the bucket's event starts ingest. */
const route = gateway.routeIntegration(
  "PUT /s3",
  {
    type: "aws",
    integrationHttpMethod: "PUT",
    uri: $interpolate`arn:aws:apigateway:${region}:s3:path/${images.name}/uploads/named/{owner}/{type}/name/{image}`,
    credentials: writer.arn,
    requestParameters: {
      // the owner comes from the token, never from the request
      "integration.request.path.owner": "context.authorizer.claims.sub",
      "integration.request.path.type": "method.request.header.Content-Type",
      "integration.request.path.image": "method.request.querystring.image",
      // AWS does not document how it treats `..` in a path, so ingest compares the key with this
      "integration.request.header.x-amz-meta-owner": "context.authorizer.claims.sub",
      // ingest makes the image's id of these two, as the response below does
      "integration.request.header.x-amz-meta-time": "context.requestTimeEpoch",
      "integration.request.header.x-amz-meta-request": "context.extendedRequestId",
      // never overwrites an upload that is still waiting: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
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

S3Responses.addResponses("PutS3", route, {
  // stored, not checked yet: the upload shows in a moment whether it is an image and the name is free
  "202": {
    pattern: "200",
    headers: { Location: "'v1/me/images'" },
    json: [
      imageId,
      `#set($context.responseOverride.header.Location = "v1/uploads/$id")`,
      `{"id":"$id","state":"pending"}`,
    ].join("\n"),
  },
  "400": {
    pattern: String.raw`4(0[0-24-8]|1[013-9]|[2-9]\d)`,
    headers: {},
    problem: {
      title: "The image cannot be stored: a parameter or header of the request is not valid",
      code: "upload.refused",
    },
  },
  "409": {
    pattern: "409|412",
    headers: {},
    problem: {
      title:
        "An image that you sent under this name is still being processed; wait until it is ready",
      code: "upload.waiting",
    },
  },
  "415": {
    pattern: "403",
    headers: {},
    problem: {
      title:
        "This content type is not of an image; declare any image/… or application/octet-stream",
      code: "upload.unsupported_type",
    },
  },
  "502": {
    headers: {},
    problem: {
      title: "The image storage does not respond; try again later",
      code: "store.unavailable",
    },
  },
});

/** Returns an IAM pattern for a UUID; `?` is any one character. */
function uuid() {
  return [8, 4, 4, 4, 12].map((length) => "?".repeat(length)).join("-");
}
