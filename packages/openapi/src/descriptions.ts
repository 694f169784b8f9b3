import { PresetName } from "@balde/imaging/request.schema";
import { ImageId } from "@balde/core/id.schema";

import type { Auth } from "./gateway-methods.ts";
import type { Parameter } from "./parameters.ts";
import { createSchemas } from "./schema.ts";

// The texts of the document, in Markdown.

export const about = `An image service: upload images, read them in any size and format, like them.

Every error is \`application/problem+json\` with a stable \`code\` and a \`requestId\` to quote; it lists ten errors at most. 503 \`service.unavailable\` has a \`Retry-After\`. Two errors of the gateway cannot be changed: a body of more than 10 MiB is 413 in plain text without CORS headers, so compare the size before you send it, and a path that does not exist is 403. Lists are \`{ items, next }\`: send \`next\` as \`cursor\` for the next page; it is null on the last one. A page may have fewer items than \`limit\`, or none, and still a \`next\`: read on until it is null. Scripts in browsers can read every response header that this document names.

The version is in the path. Fields may be added within a version: ignore unknown ones.`;

export const tags = {
  Pictures: "Image files. They need no token and no key.",
  Images: "The metadata of images: title, owner, visibility, likes.",
  Uploads: "Three ways to upload, with the same checks afterwards.",
  Me: "Responses that depend on the signed-in user. They have their own paths, so that all others can be cached.",
  Partners: "The public reads for other developers, metered for an API key.",
  Operators: "For operators of the service. Requests are signed with AWS credentials.",
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
      "The ID token of the user pool, not the access token. It alone identifies the user; no other part of a request can. It expires within an hour.",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: `An API key meters requests: each key is in one usage plan, \`trial\` or \`partner\`, which limits requests per second, bursts, and requests per day or month. Every stage has its own keys and limits; you receive the limits of your plan with your key.

**What a key is not.** It is not authentication: it does not identify a user, does not expire by itself, and may be used by anyone who has it. It gives access only to what anyone may read under \`/v1\` without it. Do not treat it as a secret that protects data, but keep it out of public pages: other users of it consume your quota.

**Limits.** Too many requests per second are 429 \`gateway.throttled\` with \`Retry-After: 1\`; a used quota is 429 \`gateway.quota_exceeded\` with \`Retry-After: 3600\`. AWS counts on a best-effort basis, so a limit is approximate. A missing, unknown or disabled key is 403 \`gateway.invalid_api_key\`, and the response does not say which.`,
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
  id: { description: "The id of the image.", schema: of(ImageId, "output") },
  rev: {
    description:
      "The revision: the first 12 hexadecimal digits of the original's SHA-256. Or the name of a preset.",
    schema: { type: "string", maxLength: 32 },
  },
  preset: {
    description: "The name of a preset, a named set of query parameters.",
    schema: of(PresetName, "output"),
  },
};
