import { afterAll, beforeAll, expect, test } from "vitest";

import { runCampaign } from "./campaign.ts";
import { seedFromEnvironment } from "./random.ts";
import { type Balde, startBalde } from "./start-balde.ts";

// A short campaign; the long one is a measure of the bench. A failure can be repeated with the seed that it prints, nearly:
// the order of calls that are made at the same time is the machine's.

const seed = seedFromEnvironment();
let balde: Balde;
beforeAll(async () => void (balde = await startBalde(2)));
afterAll(() => balde?.stop());

test(
  `after 10 kills and 30 faults nothing is lost and nothing is left (SEED=${seed})`,
  { timeout: 240_000 },
  async () => {
    const result = await runCampaign(balde, {
      seed,
      kills: 10,
      faults: 30,
      rate: 0.03,
      maxPauseMs: 600,
    });
    console.log(`campaign with SEED=${seed}: ${JSON.stringify(result)}`);
    const { lost, contradictions, deadLetters } = result;
    expect({ lost, contradictions, deadLetters }).toEqual({
      lost: [],
      contradictions: [],
      deadLetters: 0,
    });
  },
);
