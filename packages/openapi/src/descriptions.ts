import { PresetName } from "@balde/imaging/request.schema";
import { ImageId } from "@balde/core/id.schema";

import type { Auth } from "./gateway-methods.ts";
import type { Parameter } from "./parameters.ts";
import { createSchemas } from "./schema.ts";

// The prose of the document, in Markdown as OpenAPI has it.

export const about = `Pictures go up, are kept, and come back in any size and format.

Every failure is \`application/problem+json\` with a stable \`code\` and the \`requestId\` to quote. Two exceptions are the gateway's own and cannot be changed: a body of more than 10 MB is answered with 413 in plain text, and a path that does not exist with 403. Lists are \`{ items, next }\`: \`next\` goes into \`cursor\`, and is null at the end. Answers name what they expose to browsers: \`ETag\`, \`Link\`, \`Location\`, \`Retry-After\`, \`x-amzn-RequestId\`.

The version is in the path. Fields may be added within a version: ignore those that you do not know.`;

export const tags = {
  Pictures: "Pixels. No token, no key.",
  Images: "What a picture is called, whose it is and who likes it.",
  Uploads: "Three ways in, with the same checks behind them.",
  Me: "What depends on who asks has paths of its own, so that everything else can be cached.",
  Partners: "The public reads for other developers, counted for an API key.",
  Operators: "For the people who run it. Signed with AWS credentials.",
  Service: "About the API itself.",
};

export const security: Record<Auth, Record<string, never[]>[]> = {
  anyone: [],
  user: [{ idToken: [] }],
  key: [{ apiKey: [] }],
  operator: [{ awsSignature: [] }],
};

export const securitySchemes = {
  idToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "The ID token of the user pool, not the access token. It says who somebody is, and nothing in a request can say otherwise. It ends after an hour.",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: `A name for counting: each key is in one usage plan, \`trial\` or \`partner\`, which says how many requests a second, how many at once and how many in a day or a month it may make. Every stage has its own keys and limits; who gives you a key tells you its plan's.

**What a key is not.** It is not authentication: it proves nothing about who sends it, does not expire by itself, and is the same for everyone who has it. It opens nothing but what anyone may read under \`/v1\` without it. Do not build on it as a secret; still, keep it out of public pages, for whoever has it uses up your quota.

**Limits.** Too fast is 429 \`gateway.throttled\` with \`Retry-After: 1\`; a used-up quota is 429 \`gateway.quota_exceeded\` with \`Retry-After: 3600\`. AWS counts on a best-effort basis: a limit is a target, not a promise to the request. A missing, unknown or disabled key is 403 \`gateway.invalid_api_key\`, without saying which.`,
  },
  awsSignature: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description:
      "AWS Signature Version 4, service `execute-api`, by an identity that may `execute-api:Invoke` this path.",
    "x-amazon-apigateway-authtype": "awsSigv4",
  },
};

const { of } = createSchemas();

export const pathParameters: Record<string, Omit<Parameter, "in" | "name">> = {
  id: { description: "The image.", schema: of(ImageId, "output") },
  rev: {
    description:
      "The revision: the first 12 hexadecimal digits of the original's SHA-256. Or a preset's name.",
    schema: { type: "string", maxLength: 32 },
  },
  preset: { description: "A size with a name.", schema: of(PresetName, "output") },
};
