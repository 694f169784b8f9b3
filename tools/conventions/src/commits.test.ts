import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const MAX_SUBJECT_LENGTH = 72;
/** `scope: verb object`, where the scope is a package, a tool or a folder. */
const SUBJECT = /^[a-z0-9-]+(?:, [a-z0-9-]+)*: [a-z]/;
/** Beginnings that describe a state or the past instead of what the commit does. */
const NOT_IMPERATIVE =
  /^[^:]+: (?:a|an|the|is|was|it|this|(?!embed|feed|need|seed|shed|speed)\w+ed|(?!bring|string)\w+ing) /;

const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();

/** Subjects of the commits since this test was added; none in a copy without history. */
function subjects(): string[] {
  const file = "tools/conventions/src/commits.test.ts";
  try {
    const [first] = git("log", "--diff-filter=A", "--format=%H", "--", file).split("\n");
    if (!first) return [];
    return git("log", "--no-merges", "--format=%s", `${first}..HEAD`).split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

test.skipIf(subjects().length === 0)(
  "commit subjects say scope, verb and object in 72 characters",
  () => {
    const wrong = subjects().filter(
      (subject) =>
        subject.length > MAX_SUBJECT_LENGTH ||
        !SUBJECT.test(subject) ||
        NOT_IMPERATIVE.test(subject),
    );
    expect(wrong).toEqual([]);
  },
);
