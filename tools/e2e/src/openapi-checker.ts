import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

type Reference = { $ref?: string };
type DocumentedResponse = {
  headers?: Record<string, unknown>;
  content?: Record<string, object>;
} & Reference;
type Operation = { operationId: string; responses: Record<string, DocumentedResponse> };
export type Document = { paths: Record<string, Record<string, Operation>>; components: object };

/** Compares responses with the OpenAPI document that the stage serves. */
export function createOpenApiChecker(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: "https://balde.example/openapi", ...withoutAdditionalProperties(document) });

  return {
    operationIds: Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    ),

    /** Returns how a response of an operation differs from the document; an empty list if it does not. */
    async findProblems(operationId: string, response: Response): Promise<string[]> {
      const [path, method] = find(operationId);
      const { responses } = document.paths[path]![method]!;
      const status = String(response.status);
      const key = Object.hasOwn(responses, status) ? status : "default";
      const { pointer, documented } = resolveReference(
        `#/paths/${escapePointer(path)}/${method}/responses/${key}`,
        responses[key]!,
      );
      const problems = key === "default" ? [`${status} is not documented`] : [];

      const documentedHeaders = Object.keys(documented.headers ?? {}).map((header) =>
        header.toLowerCase(),
      );
      for (const name of ["etag", "link", "location", "retry-after", "x-amzn-requestid"])
        if (response.headers.has(name) && !documentedHeaders.includes(name))
          problems.push(`${name} is not documented`);
      for (const name of ["etag", "location", "x-amzn-requestid", "cache-control"])
        if (documentedHeaders.includes(name) && !response.headers.has(name))
          problems.push(`${name} is missing`);
      const body = Buffer.from(await response.arrayBuffer());
      if (body.length === 0) return problems;
      const type = response.headers.get("content-type")?.split(";")[0] ?? "";
      if (!documented.content || !Object.hasOwn(documented.content, type))
        return [...problems, `${type} is not documented`];
      if (!("schema" in documented.content[type]!)) return problems;
      const schema = {
        $ref: `https://balde.example/openapi${pointer}/content/${escapePointer(type)}/schema`,
      };
      if (ajv.validate(schema, JSON.parse(body.toString()))) return problems;
      return [...problems, ajv.errorsText()];
    },
  };

  function find(operationId: string): [path: string, method: string] {
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods))
        if (operation.operationId === operationId) return [path, method];
    throw new Error(`no operation ${operationId}`);
  }

  function resolveReference(pointer: string, response: DocumentedResponse) {
    if (!response.$ref) return { pointer, documented: response };
    const [, , kind, name] = response.$ref.split("/") as [string, string, "responses", string];
    return {
      pointer: response.$ref,
      documented: (document.components as Record<string, Record<string, DocumentedResponse>>)[
        kind
      ]![name]!,
    };
  }
}

/** Forbids fields that are not documented. */
const withoutAdditionalProperties = (document: Document): Document =>
  JSON.parse(JSON.stringify(document), (_, value) =>
    value?.properties && value.required ? { additionalProperties: false, ...value } : value,
  );

/** Escapes a part of a JSON pointer in a URI. */
const escapePointer = (part: string) =>
  encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
