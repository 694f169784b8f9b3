import ajv04 from "ajv-draft-04";

import * as MappingExpressions from "./mapping-expressions.ts";
import type { BodyValidator, Method, RequestContext } from "./types.ts";
import { GatewayError } from "./gateway-error.ts";

/** Checks that required parameters are present, then the body. Values of parameters are not checked. [V-DOC] @throws GatewayError */
export function validateRequest(context: RequestContext): void {
  const { requiredParameters, bodyValidators } = context.method;
  const missing = requiredParameters.filter(
    (key) => !MappingExpressions.evaluate(key, context)?.trim(),
  );
  if (missing.length > 0) {
    const names = missing.map((key) => key.split(".").slice(3).join("."));
    throw new GatewayError("BAD_REQUEST_PARAMETERS", {
      text: `Missing required request parameters: [${names.join(", ")}]`,
    });
  }
  if (!bodyValidators) return;
  const type = context.header("content-type")?.split(";", 1)[0]?.trim() || "application/json";
  // a content type without a model, and no $default model: not validated [V-DOC]
  const check = bodyValidators.get(type) ?? bodyValidators.get("$default");
  const validation = check?.(context.body.toString("utf8"));
  if (validation !== undefined) throw new GatewayError("BAD_REQUEST_BODY", { validation });
}

/** Compiles models, which are JSON Schema draft-04. @throws Error if one is not a schema. https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html */
export function compileModels(models: { name: string; url: string; schema: string }[]) {
  const ajv = new ajv04.default({ allErrors: true, strict: false, validateFormats: false });
  for (const { url, schema } of models)
    // a model refers to another by its URL
    ajv.addSchema({ ...JSON.parse(schema || "{}"), id: url }, url);
  return (name: string): BodyValidator => {
    const model = models.find((candidate) => candidate.name === name);
    if (!model) throw new Error(`there is no model ${name}`);
    const check = ajv.getSchema(model.url);
    if (!check) throw new Error(`the model ${name} is not a schema`);
    return (body) => {
      let value: unknown;
      try {
        value = JSON.parse(body);
      } catch {
        return "Invalid JSON";
      }
      if (check(value)) return undefined;
      const errors = check.errors?.map(({ instancePath, message }) =>
        `${instancePath} ${message}`.trim(),
      );
      return `[${errors?.join(", ")}]`;
    };
  };
}

/** Returns the required parameters in AWS's order: header, path, querystring. [V-AWS] */
export const requiredParameterKeys = (
  parameters: Record<string, boolean>,
): Method["requiredParameters"] =>
  Object.entries(parameters)
    .filter(([, isRequired]) => isRequired)
    .map(([key]) => key)
    .toSorted();
