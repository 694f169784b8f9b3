const cursor = new random.RandomPassword("CursorKey", { length: 43, special: false });

/** Secrets that are generated per stage; `cursor` signs the cursors of lists. */
export const keys = new sst.Linkable("Keys", { properties: { cursor: cursor.result } });

/**
 * The keys that verify signed delivery URLs; the last one signs. To rotate: add an id and deploy; a week later, the longest
 * validity of a URL, remove the old id and deploy. Removing it at once invalidates every URL that it signed.
 */
const deliveryKeys = ["k1"];

const secrets = Object.fromEntries(
  deliveryKeys.map((id) => [
    id,
    new random.RandomPassword(`DeliveryKey${id.toUpperCase()}`, { length: 43, special: false })
      .result,
  ]),
);

/** Separate from `Keys`: the delivery function needs no other secret. */
export const signing = new sst.Linkable("DeliveryKeys", {
  properties: { newest: deliveryKeys.at(-1)!, secrets },
});
