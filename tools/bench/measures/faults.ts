import { runCampaign } from "../../faults/src/campaign.ts";
import { seedFromEnvironment } from "../../faults/src/random.ts";
import { startBalde } from "../../faults/src/start-balde.ts";
import { printTable, reportGoal } from "../report.ts";

const kills = Number(process.env.KILLS ?? 1_000);
const faults = Number(process.env.FAULTS ?? 1_000);
/** After each round everything must be right, so that a failure is found near its cause. */
const PER_ROUND = 100;

/** Kills processes and makes calls fail while users upload, change and delete images, in rounds; each prints its seed. */
export async function run() {
  const balde = await startBalde(2);
  const first = seedFromEnvironment();
  const total = { kills: 0, faults: 0, requests: 0, acknowledged: 0, wrong: 0 };
  let slowestMs = 0;
  try {
    for (let round = 0; total.kills < kills || total.faults < faults; round++) {
      const seed = first + round;
      const result = await runCampaign(balde, {
        seed,
        kills: Math.min(PER_ROUND, Math.max(0, kills - total.kills)),
        faults: Math.min(PER_ROUND, Math.max(0, faults - total.faults)),
        rate: 0.03,
        maxPauseMs: 300,
      });
      const wrong = [...result.lost, ...result.contradictions];
      for (const sentence of wrong) console.log(`SEED=${seed}: ${sentence}`);
      if (result.deadLetters > 0) console.log(`SEED=${seed}: ${result.deadLetters} dead letters`);
      total.kills += result.kills;
      total.faults += result.faults;
      total.requests += result.requests;
      total.acknowledged += result.acknowledged;
      total.wrong += wrong.length + result.deadLetters;
      slowestMs = Math.max(slowestMs, result.ms);
      console.log(
        `SEED=${seed}: ${result.kills} kills, ${result.faults} faults, right after ${Math.round(result.ms / 1000)} s of the cloud's clock`,
      );
    }
  } finally {
    await balde.stop();
  }
  printTable(
    ["kills", "failed calls", "requests", "acknowledged", "slowest end (s)"],
    [[total.kills, total.faults, total.requests, total.acknowledged, slowestMs / 1000]],
  );
  reportGoal(
    "Faults",
    "nothing acknowledged is lost, nothing deleted or hidden is left, no dead letter",
    `${total.wrong} wrong`,
    total.wrong === 0,
  );
}
