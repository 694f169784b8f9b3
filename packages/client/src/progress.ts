export type Progress = ReturnType<typeof createProgress>;

/** Returns the progress of a file of so many bytes, which is sent in parts. It never reports less than before, also when a part is sent again. */
export function createProgress(
  all: number,
  onProgress: ((sent: number, all: number) => void) | undefined,
) {
  const sentOf = new Map<number, number>();
  let highest = -1;
  const report = (sent: number) => {
    if (sent <= highest) return;
    highest = sent;
    onProgress?.(sent, all);
  };
  return {
    /** So many bytes of the part were sent. */
    set(part: number, sent: number) {
      sentOf.set(part, sent);
      report([...sentOf.values()].reduce((sum, bytes) => sum + bytes, 0));
    },
    finish: () => report(all),
  };
}
