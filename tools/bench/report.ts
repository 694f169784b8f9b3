export const median = (values: number[]) => quantile(values, 0.5);

export function quantile(values: number[], q: number) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Prints a table; all columns but the first are aligned to the right, numbers are rounded to one decimal. */
export function printTable(
  head: string[],
  rows: (string | number)[][],
  pad: "padStart" | "padEnd" = "padStart",
) {
  const cells = [head, ...rows].map((row) => row.map(formatCell));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i ? cell[pad](widths[i]!) : cell.padEnd(widths[i]!))).join("  ");
  const [first, ...others] = cells.map(line);
  console.log([first, widths.map((width) => "-".repeat(width)).join("  "), ...others].join("\n"));
}

type Verdict = { goal: string; promise: string; measured: string; isMet: boolean };

const verdicts: Verdict[] = [];

/** Prints a goal, what was measured and whether the goal is met, and keeps it for `printVerdicts`; README.md lists the goals. */
export function reportGoal(goal: string, promise: string, measured: string, isMet: boolean) {
  const verdict = { goal, promise, measured, isMet };
  verdicts.push(verdict);
  console.log(`${toWord(verdict)}  ${goal}: ${promise}; measured ${measured}`);
}

/** Prints every goal of this run in one table. */
export function printVerdicts() {
  if (verdicts.length === 0) return;
  const met = verdicts.filter(({ isMet }) => isMet).length;
  console.log(`\n# verdicts: ${met} of ${verdicts.length} goals met\n`);
  printTable(
    ["", "goal", "promise", "measured"],
    verdicts.map((it) => [toWord(it), it.goal, it.promise, it.measured]),
    "padEnd",
  );
}

const toWord = ({ isMet }: Verdict) => (isMet ? "PASS" : "MISS");

const formatCell = (cell: string | number) => (typeof cell === "number" ? cell.toFixed(1) : cell);
