import { once } from "node:events";
import { buffer } from "node:stream/consumers";

import { type Wish, answer } from "../src/deliver/serve-image.ts";

// Another process of the function: answers the wish that its parent sends, and tells what it did.

process.send!("ready");
const [wish] = (await once(process, "message")) as [Wish];
const { headers, body = Buffer.alloc(0), store } = await answer(wish);
const bytes = Buffer.isBuffer(body) ? body : await buffer(body);
await store?.();
process.send!({ timing: headers["Server-Timing"], bytes: bytes.length });
process.disconnect();
