import * as Grants from "./grants.ts";
import { signing } from "./keys.ts";
import * as Settings from "./settings.ts";
import { data, images } from "./storage.ts";

const settings = Settings.ofStage($app.stage);

/** Deliver expands presets; the API validates their names. */
export const presets = new sst.Linkable("Presets", {
  properties: { queries: settings.presets },
});

export const deliver = new sst.aws.Function("Deliver", {
  handler: "packages/functions/src/deliver/handler.handler",
  description: "Delivers an image in the requested size and format",
  // one whole processor begins at 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
  memory: "1769 MB",
  // the original, libvips' own file for an interlaced one, and a large picture that is sent while it is made
  storage: "1536 MB",
  // the gateway waits 29 seconds
  timeout: "28 seconds",
  concurrency: { reserved: settings.reservedConcurrency.Deliver },
  // without the limit of 6 MB: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
  streaming: true,
  link: [images, data, presets, signing],
  // glibc keeps freed memory in arenas, up to eight per processor, and libvips has many threads: after a thousand deliveries
  // the process had 23 MB more than after the first hundred, with two arenas 4 MB more (`pnpm bench memory`)
  environment: { MALLOC_ARENA_MAX: "2" },
  permissions: [
    Grants.objects(images, ["originals/*", "ladder/*", "derived/*"], ["GetObject"]),
    Grants.objects(images, ["derived/*"], ["PutObject"]),
    Grants.listForNotFound(images),
    Grants.itemsWithKeyLike(data, ["IMAGE#*", "MADE#*"], ["GetItem"]),
    Grants.itemsWithKeyLike(data, ["MADE#*"], ["UpdateItem"]),
  ],
  nodejs: { install: { sharp: "0.35.5" } },
});
