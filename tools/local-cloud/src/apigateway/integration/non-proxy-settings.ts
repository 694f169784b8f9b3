import type * as Template from "../template.ts";

/** A non-proxy integration with its integration responses, compiled. */
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

/** What goes to the backend. */
export type IntegrationRequest = {
  headers: Record<string, string>;
  query: Record<string, string[]>;
  path: Record<string, string>;
  body: Buffer;
};

/** What came back. `selector` is what the selection patterns are matched against: a status, or a function's error message. */
export type IntegrationResult = {
  selector: string | undefined;
  headers: Record<string, string[]>;
  body: Buffer;
};
