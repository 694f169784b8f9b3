// not z.locales: a namespace that is used keeps all fifty languages in the bundle
import en from "zod/v4/locales/en.js";
import * as z from "zod/mini";

import { type Issue, VisibleError } from "./error.ts";

z.config(en());

/**
 * The input as its schema describes it, with defaults filled in.
 *
 * @throws input.invalid with one issue for each thing that is wrong
 */
export function parse<Schema extends z.ZodMiniType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const result = z.safeParse(schema, input);
  if (!result.success) throw invalidInput(result.error.issues);
  return result.data;
}

/** The error `input.invalid` for zod's issues, also for callers that let zod parse by themselves. */
export function invalidInput(zodIssues: readonly z.core.$ZodIssue[]): VisibleError {
  const issues = zodIssues.flatMap(toIssues);
  const summary = issues.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail));
  return new VisibleError("invalid", "input.invalid", summary.join("; "), { issues });
}

function toIssues(zodIssue: z.core.$ZodIssue): Issue[] {
  if (zodIssue.code === "unrecognized_keys") {
    return zodIssue.keys.map((key) => ({
      pointer: toPointer([...zodIssue.path, key]),
      detail: "is not known here",
    }));
  }
  return [{ pointer: toPointer(zodIssue.path), detail: zodIssue.message }];
}

/** A JSON pointer: https://www.rfc-editor.org/rfc/rfc6901#section-3 */
const toPointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
