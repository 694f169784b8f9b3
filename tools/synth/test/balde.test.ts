import { join } from "node:path";
import { beforeAll } from "vitest";

import { synthesize } from "../src/synthesize.ts";
import { answers } from "./answers.ts";
import { events } from "./events.ts";
import { gateway } from "./gateway.ts";
import type { Graphs } from "./read.ts";
import { rights } from "./rights.ts";
import { stages } from "./stages.ts";
import { storage } from "./storage.ts";

// one run of the program a stage, for every file of tests
let graphs: Graphs;

beforeAll(async () => {
  graphs = await synthesize(join(import.meta.dirname, "../../.."), {
    laptop: { stage: "laptop" },
    production: { stage: "production" },
    dev: { stage: "developer", dev: true },
  });
}, 300_000);

for (const about of [rights, gateway, answers, storage, events, stages]) about(() => graphs);
