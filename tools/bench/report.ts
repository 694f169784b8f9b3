export const median = (values: number[]) => quantile(values, 0.5);

export function quantile(values: number[], q: number) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Prints a table; numbers are aligned to the right and rounded to one decimal. */
export function printTable(head: string[], rows: (string | number)[][]) {
  const cells = [head, ...rows].map((row) => row.map(formatCell));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join("  ");
  const [first, ...others] = cells.map(line);
  console.log([first, widths.map((width) => "-".repeat(width)).join("  "), ...others].join("\n"));
}

/** Prints a goal, what was measured and whether the goal is met; README.md lists the goals. */
export function reportGoal(goal: string, promise: string, measured: string, isMet: boolean) {
  console.log(`${isMet ? "PASS" : "MISS"}  ${goal}: ${promise}; measured ${measured}`);
}

const formatCell = (cell: string | number) => (typeof cell === "number" ? cell.toFixed(1) : cell);
