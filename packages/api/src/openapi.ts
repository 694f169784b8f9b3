import written from "./openapi.json" with { type: "json" };

/** The parts of the generated OpenAPI document that the docs page shows. */
export type OpenApi = Omit<typeof written, "servers" | "paths" | "components"> & {
  servers: { url: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { parameters: Record<string, Parameter>; schemas: Record<string, object> } & Omit<
    (typeof written)["components"],
    "parameters" | "schemas"
  >;
};

export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, unknown>[];
  parameters?: (Parameter | Reference)[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content } | Reference>;
};

export type Reference = { $ref: string };
export type Content = Record<string, { schema?: object }>;
export type Parameter = {
  in: string;
  name: string;
  description?: string;
  required?: boolean;
  schema: object;
};

/** The OpenAPI document with `base`, the path of the stage, as its server. */
export const openapi = (base: string): OpenApi => ({
  ...(written as unknown as OpenApi),
  servers: [{ url: base || "/" }],
});
