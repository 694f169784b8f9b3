// not z.locales: a namespace that is used keeps all fifty languages in the bundle
import en from "zod/v4/locales/en.js";
import * as z from "zod/mini";

import { type Issue, VisibleError } from "./error.ts";

z.config(en());

/** A verb that believes its input: what does not fit the schema rejects as a VisibleError that says what is allowed. Always async. */
export function fn<Schema extends z.ZodMiniType, Result>(
  schema: Schema,
  body: (input: z.output<Schema>) => Result,
) {
  const verb = async (input: z.input<Schema>): Promise<Awaited<Result>> =>
    await body(parse(schema, input));
  return Object.assign(verb, { schema });
}

export function parse<Schema extends z.ZodMiniType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const result = z.safeParse(schema, input);
  if (!result.success) throw invalid(result.error.issues);
  return result.data;
}

/** The one translation of zod's findings, also for doors that let zod parse by themselves. */
export function invalid(found: readonly z.core.$ZodIssue[]) {
  const issues = found.flatMap(explain);
  const summary = issues.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail));
  return new VisibleError("invalid", "input.invalid", summary.join("; "), { issues });
}

function explain(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key]),
      detail: "is not known here",
    }));
  }
  return [{ pointer: pointerTo(issue.path), detail: issue.message }];
}

const pointerTo = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
