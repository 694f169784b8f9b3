import { createHash } from "node:crypto";

import * as z from "zod/mini";

import type { AcceptedFormats } from "./accept.ts";
import { type Problem, Refusal } from "./refusal.ts";
import { Grammar, type Key, type Request, Signature, keys, print } from "./request.schema.ts";

export * from "./request.schema.ts";

/** The two parts of a query: the request and its signature. */
export type ParsedQuery = { request: Request; signature: Signature | undefined };

/**
 * Parses a query. Values are lists, so that a repeated key is noticed.
 *
 * @throws delivery.invalid_query with every unknown, repeated and invalid key, its value and what is allowed
 */
export function parse(query: Record<string, string[] | undefined>): ParsedQuery {
  const problems: Problem[] = [];
  const texts: Record<string, string> = {};
  for (const [key, values] of Object.entries(query)) {
    if (values === undefined) continue;
    const [value = ""] = values;
    if (!isKey(key))
      problems.push({ key, value, detail: `is not a key; allowed are ${keys.join(", ")}` });
    else if (values.length > 1)
      problems.push({
        key,
        value: values.join(" and "),
        detail: "is given more than once; each key is allowed once",
      });
    else texts[key] = value;
  }

  const read = z.safeDecode(Grammar, texts as z.input<typeof Grammar>);
  const wrong = new Set(read.error?.issues.map((issue) => String(issue.path[0])));
  for (const key of keys) {
    if (wrong.has(key))
      problems.push({
        key,
        value: texts[key] ?? "",
        detail: `is not allowed; ${key} is ${allowed(key)}`,
      });
  }
  problems.push(...missing(query));
  if (problems.length > 0 || !read.success) throw refused(problems);
  const { exp, kid, sig, ...request } = read.data;
  const isSigned = exp !== undefined && kid !== undefined && sig !== undefined;
  return { request, signature: isSigned ? { exp, kid, sig } : undefined };
}

/** The missing keys of an incomplete signature. */
function missing(query: Record<string, string[] | undefined>): Problem[] {
  const together = Object.keys(Signature.shape);
  if (!together.some((key) => query[key])) return [];
  return together
    .filter((key) => !query[key])
    .map((key) => ({
      key,
      value: "",
      detail: `is missing; ${together.join(", ")} come together`,
    }));
}

/**
 * A name of the request, twenty hexadecimal digits. Requests with the same name have the same plan of an image, whichever
 * image it is; the opposite is not true, because different requests may mean the same.
 */
export function hash(request: Request, accepted: AcceptedFormats): string {
  // only f=auto depends on what the client accepts
  const { avif, webp } = (request.f ?? "auto") === "auto" ? accepted : {};
  return (
    createHash("sha256")
      // the name of a download does not change the picture
      .update(JSON.stringify([print({ ...request, dl: undefined }), avif, webp]))
      .digest("hex")
      .slice(0, 20)
  );
}

/** A sentence about the values that a key accepts. */
export const allowed = (key: Key): string =>
  z.globalRegistry.get(Grammar.shape[key].def.innerType)?.description ?? "";

const isKey = (key: string): key is Key => Object.hasOwn(Grammar.shape, key);

function refused(problems: Problem[]) {
  const sentences = problems.map(
    ({ key, value, detail }) =>
      `${JSON.stringify(clipped(key))} = ${JSON.stringify(clipped(value))} ${detail}`,
  );
  return new Refusal("invalid", "delivery.invalid_query", sentences.join(". "), {
    problems: problems.map((problem) => ({
      ...problem,
      key: clipped(problem.key),
      value: clipped(problem.value),
    })),
  });
}

/** Characters of a rejected value that the response repeats at most. */
const clipped = (text: string) => (text.length > 64 ? `${text.slice(0, 64)}…` : text);
