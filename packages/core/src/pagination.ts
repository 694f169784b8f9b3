/** One entry of a list: its position, which sorts as text, and the item that is shown for it. An entry without an item counts as read but is not shown. */
export type Entry<Item> = { position: string; item?: Item };

/** Bounds what one page reads when few of its entries have an item. */
const MAX_ENTRIES_PER_PAGE = 200;

/** The entries of several lists as one list. Each list must descend by position; so does the result. Each list is read one entry ahead. */
export async function* mergeNewestFirst<Item>(
  lists: AsyncGenerator<Entry<Item>, void>[],
): AsyncGenerator<Entry<Item>, void> {
  const heads = await Promise.all(lists.map(readNext));
  for (;;) {
    let newest: Head<Item> | undefined;
    for (const head of heads)
      if (head.entry && !(newest && newest.entry!.position > head.entry.position)) newest = head;
    if (!newest) return;
    yield newest.entry!;
    newest.entry = (await readNext(newest.list)).entry;
  }
}

/**
 * The first `limit` items of a list and the position after which the next page starts; null at the end of the list.
 * After `maxEntries` entries the page ends early, with fewer items and the position that it reached.
 */
export async function takePage<Item>(
  list: AsyncGenerator<Entry<Item>, void>,
  limit: number,
  maxEntries = MAX_ENTRIES_PER_PAGE,
): Promise<{ items: Item[]; nextPosition: string | null }> {
  const items: Item[] = [];
  let nextPosition: string | null = null;
  let entries = 0;
  for await (const { position, item } of list) {
    if (item !== undefined && items.length === limit) return { items, nextPosition };
    if (item !== undefined) items.push(item);
    nextPosition = position;
    if (++entries === maxEntries) return { items, nextPosition };
  }
  return { items, nextPosition: null };
}

type Head<Item> = { list: AsyncGenerator<Entry<Item>, void>; entry: Entry<Item> | undefined };

async function readNext<Item>(list: AsyncGenerator<Entry<Item>, void>): Promise<Head<Item>> {
  const { value } = await list.next();
  return { list, entry: value ?? undefined };
}
