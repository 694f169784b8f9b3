const cursor = new random.RandomPassword("CursorKey", { length: 43, special: false });

/** Secrets that the stage makes for itself; `cursor` signs the cursors of lists. */
export const keys = new sst.Linkable("Keys", { properties: { cursor: cursor.result } });
