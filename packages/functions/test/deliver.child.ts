import { createRequire } from "node:module";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import type { DeliveryRequest } from "../src/deliver/delivery-request.ts";
import { serveImage } from "../src/deliver/serve-image.ts";

// Another process of the function: serves the request that its parent sends, and reports when sharp is loaded and what it
// answered.

process.send!("ready");
const [request] = (await once(process, "message")) as [DeliveryRequest];
const response = serveImage(request);
const { cache } = createRequire(import.meta.url);
const isSharpLoaded = () => Object.keys(cache).some((file) => /sharp[^/]*\.node$/.test(file));
while (!isSharpLoaded() && (await Promise.race([response, sleep(5)])) === undefined);
if (isSharpLoaded()) process.send!("sharp is loaded");

const { headers, body = Buffer.alloc(0), afterSent } = await response;
const bytes = Buffer.isBuffer(body) ? body : await buffer(body);
await afterSent?.();
process.send!({ timing: headers["Server-Timing"], bytes: bytes.length });
process.disconnect();
