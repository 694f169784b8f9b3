/** One entry of a list: its position, which sorts as text, and the item that is shown for it. An entry without an item is read but not shown. */
export type Entry<Item> = { position: string; item?: Item | undefined };

/** What one request to the table returns of a list: entries in descending order, and the position that the request reached; null if the list ends here. */
export type Part<Item> = { entries: Entry<Item>[]; reached: string | null };

/** Reads the part of a list that starts after the position `before`. */
export type Source<Item> = (before: string) => Promise<Part<Item>>;

/** Sorts after every id, time and day. */
const AFTER_ALL = "~";

type Options<Item> = {
  /** The lists that are shown as one, each in descending order. */
  sources: Source<Item>[];
  /** Only entries after this position are read; undefined reads from the start. */
  before: string | undefined;
  limit: number;
  /** How often each source may be read. */
  maxRounds: number;
};

/**
 * The first `limit` items of several lists as one list, newest first, and the position after which the next page starts;
 * null at the end of the list. Each source is read at most `maxRounds` times: then the page ends with fewer items, perhaps
 * none, and the position that was reached.
 */
export async function takePage<Item>({
  sources,
  before = AFTER_ALL,
  limit,
  maxRounds,
}: Options<Item>): Promise<{ items: Item[]; nextPosition: string | null }> {
  const items: Item[] = [];
  let position = before;
  for (let round = 1; ; round++) {
    const start = position;
    const { entries, reached } = merge(await Promise.all(sources.map((read) => read(start))));
    for (const { position: at, item } of entries) {
      if (item !== undefined && items.length === limit) return { items, nextPosition: position };
      if (item !== undefined) items.push(item);
      position = at;
    }
    if (reached === null) return { items, nextPosition: null };
    position = reached;
    if (items.length === limit || round === maxRounds) return { items, nextPosition: position };
  }
}

/** The entries of all parts down to the position that every part has reached. */
function merge<Item>(parts: Part<Item>[]): Part<Item> {
  const stops = parts.flatMap(({ reached }) => (reached === null ? [] : [reached]));
  const reached = stops.reduce<string | null>(
    (newest, stop) => (newest === null || stop > newest ? stop : newest),
    null,
  );
  const entries = parts
    .flatMap((part) => part.entries)
    .filter(({ position }) => reached === null || position >= reached)
    .toSorted((a, b) => (a.position < b.position ? 1 : -1));
  return { entries, reached };
}

/**
 * How many entries to read from each of `shardCount` lists over which entries are spread by a hash, so that a page of `limit`
 * items needs no second round: four standard deviations above the average, and some for short pages.
 */
export function entriesPerShard(limit: number, shardCount: number): number {
  const average = limit / shardCount;
  return Math.min(limit + 1, Math.ceil(average + 4 * Math.sqrt(average)) + 2);
}
