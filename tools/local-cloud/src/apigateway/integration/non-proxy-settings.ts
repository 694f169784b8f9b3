import type * as Template from "../template.ts";

/** The compiled settings of a non-proxy integration and its integration responses. */
export type NonProxySettings = {
  kind: "MOCK" | "AWS" | "HTTP";
  requestParameters: [target: string, source: string][];
  requestTemplates: Record<string, Template.Template>;
  passthrough: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  contentHandling: ContentHandling;
  responses: IntegrationResponse[];
  timeoutMs: number;
};

type ContentHandling = "CONVERT_TO_BINARY" | "CONVERT_TO_TEXT" | undefined;

export type IntegrationResponse = {
  status: number;
  /** Undefined for the default response. */
  pattern: RegExp | undefined;
  headers: [name: string, source: string][];
  templates: Record<string, string>;
  compiled: Record<string, Template.Template>;
  contentHandling: ContentHandling;
};

/** The request to the backend. */
export type IntegrationRequest = {
  headers: Record<string, string>;
  query: Record<string, string[]>;
  path: Record<string, string>;
  body: Buffer;
};

/** The response of the backend. Selection patterns match `selector`, which is a status or the error message of a function. */
export type IntegrationResult = {
  selector: string | undefined;
  headers: Record<string, string[]>;
  body: Buffer;
};
