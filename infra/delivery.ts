import * as Grants from "./grants.ts";
import { signing } from "./keys.ts";
import * as Settings from "./settings.ts";
import { data, images } from "./storage.ts";

/** Deliver knows what they mean, the API that they exist. */
export const presets = new sst.Linkable("Presets", {
  properties: { queries: Settings.of($app.stage).presets },
});

export const deliver = new sst.aws.Function("Deliver", {
  handler: "packages/functions/src/deliver/handler.handler",
  description: "Delivers a picture in the size and format that is asked for",
  // one whole processor begins at 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
  memory: "1769 MB",
  // the gateway waits 29 seconds
  timeout: "28 seconds",
  // no 6 MB ceiling: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
  streaming: true,
  link: [images, data, presets, signing],
  // glibc keeps what a thread has freed for that thread alone, eight times per processor, and libvips has many threads: a
  // thousand deliveries held 23 MB more at their end than after the first hundred, and with this 4 MB (`pnpm bench memory`)
  environment: { MALLOC_ARENA_MAX: "2" },
  permissions: [
    Grants.objects(images, ["originals/*", "ladder/*", "derived/*"], ["GetObject"]),
    Grants.objects(images, ["derived/*"], ["PutObject"]),
    Grants.absence(images),
    Grants.items(data, ["GetItem"]),
    Grants.itemsLike(data, ["MADE#*"], ["UpdateItem"]),
  ],
  nodejs: { install: { sharp: "0.35.5" } },
});
