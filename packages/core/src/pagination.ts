/** One step of a walk through a list: a place in it, and what is shown from there if anything is. */
export type Step<Shown> = { position: string; shown?: Shown };

/** Merges walks that each descend, so that the whole descends. */
export async function* merge<Shown>(
  walks: AsyncGenerator<Step<Shown>, void>[],
): AsyncGenerator<Step<Shown>, void> {
  const heads = await Promise.all(walks.map(advance));
  for (;;) {
    let newest: Head<Shown> | undefined;
    for (const head of heads)
      if (head.step && !(newest && newest.step!.position > head.step.position)) newest = head;
    if (!newest) return;
    yield newest.step!;
    newest.step = (await advance(newest.walk)).step;
  }
}

/**
 * A page of a walk. `after` is where the next one starts, null at the end. A walk on which little is shown ends early
 * after `budget` steps, with a short page and the place that it came to.
 */
export async function take<Shown>(
  walk: AsyncGenerator<Step<Shown>, void>,
  limit: number,
  budget = 200,
): Promise<{ shown: Shown[]; after: string | null }> {
  const taken: Shown[] = [];
  let after: string | null = null;
  for await (const { position, shown } of walk) {
    if (shown !== undefined && taken.length === limit) return { shown: taken, after };
    if (shown !== undefined) taken.push(shown);
    after = position;
    if (--budget === 0) return { shown: taken, after };
  }
  return { shown: taken, after: null };
}

type Head<Shown> = { walk: AsyncGenerator<Step<Shown>, void>; step: Step<Shown> | undefined };

async function advance<Shown>(walk: AsyncGenerator<Step<Shown>, void>): Promise<Head<Shown>> {
  const { value } = await walk.next();
  return { walk, step: value ?? undefined };
}
