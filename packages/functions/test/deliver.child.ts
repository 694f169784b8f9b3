import { once } from "node:events";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

import type { DeliveryRequest } from "../src/deliver/delivery-request.ts";
import { served } from "./samples.ts";

// Another process of the function: serves the request that its parent sends, and tells when sharp is loaded and when the
// response is sent.

process.send!("started");
const [request] = (await once(process, "message")) as [DeliveryRequest];
const loaded = createRequire(import.meta.url).cache;
const isSharpLoaded = () => Object.keys(loaded).some((file) => /sharp[^/]*\.node$/.test(file));
process.send!(`sharp is ${isSharpLoaded() ? "" : "not "}loaded at the start`);
const response = served(request);
while (!isSharpLoaded() && (await Promise.race([response, sleep(5)])) === undefined);
if (isSharpLoaded()) process.send!("sharp is loaded");
const { status } = await response;
process.send!(`status ${status}`);
process.disconnect();
