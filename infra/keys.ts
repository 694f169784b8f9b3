const cursor = new random.RandomPassword("CursorKey", { length: 43, special: false });

/** Secrets that the stage makes for itself; `cursor` signs the cursors of lists. */
export const keys = new sst.Linkable("Keys", { properties: { cursor: cursor.result } });

/**
 * By these keys addresses of delivery are signed, the last one signs. To change keys: add an id, deploy; a week later (the
 * longest life of an address) take the old one out, deploy. Taking it out at once ends every address that it signed.
 */
const deliveryKeys = ["k1"];

const secrets = Object.fromEntries(
  deliveryKeys.map((id) => [
    id,
    new random.RandomPassword(`DeliveryKey${id.toUpperCase()}`, { length: 43, special: false })
      .result,
  ]),
);

/** Apart from `Keys`: who delivers pictures needs no other secret. */
export const signing = new sst.Linkable("DeliveryKeys", {
  properties: { newest: deliveryKeys.at(-1)!, secrets },
});
