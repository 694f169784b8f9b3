/** Everything that differs between stages, and nothing else: the only file that compares stage names. */
export type Settings = {
  region: "eu-central-1";
  removal: "remove" | "retain";
  /** No `sst remove`, no `sst dev`, no deletion of users or table. */
  protect: boolean;
  /** Deleting the stage deletes the pictures in it. */
  emptyBucketOnRemoval: boolean;
  /** Whose scripts may read answers: the origins of web front ends, without a slash at the end. */
  origins: readonly string[];
  /** Sign in with user name and password in one call: what tests and the laptop's user pool speak. Browsers use SRP. */
  passwordSignIn: boolean;
  /** Of the whole API; requests a second, and how many at once. AWS allows an account 10,000 and 5,000. */
  throttle: { rate: number; burst: number };
  /** What an API key may ask of `/partner/v1`: requests a second, how many at once, how many in all. */
  plans: Record<"trial" | "partner", Plan>;
  /** Sizes with a name, for `/i/{id}/{rev}/{preset}`: each a query of the delivery, with `w` or `h`. */
  presets: Readonly<Record<string, string>>;
  /** How many batches of new pictures are prepared at the same time: each is one busy function. */
  ingestConcurrency: number;
  /** Deleted and overwritten objects can be brought back for so long. */
  noncurrentDays: number;
  logDays: 7 | 90;
};

export type Plan = {
  rate: number;
  burst: number;
  quota: { limit: number; period: "day" | "month" };
};

export function of(stage: string): Settings {
  if (stage === "production") return production;
  return stage === "laptop" ? laptop : personal;
}

/** Where people see the same picture, they should ask for the same one: it is stored once. */
const presets = {
  thumb: "w=160&h=160&fit=cover&pos=attention",
  card: "w=480&h=320&fit=cover",
  hero: "w=1600&h=700&fit=cover",
};

const production: Settings = {
  region: "eu-central-1",
  removal: "retain",
  protect: true,
  emptyBucketOnRemoval: false,
  origins: ["https://balde.example"],
  passwordSignIn: false,
  throttle: { rate: 2_000, burst: 1_000 },
  plans: {
    trial: { rate: 5, burst: 10, quota: { limit: 1_000, period: "day" } },
    partner: { rate: 100, burst: 200, quota: { limit: 5_000_000, period: "month" } },
  },
  presets,
  ingestConcurrency: 50,
  noncurrentDays: 30,
  logDays: 90,
};

/** A developer's stage, or a pull request's. */
const personal: Settings = {
  region: "eu-central-1",
  removal: "remove",
  protect: false,
  emptyBucketOnRemoval: true,
  // where Vite and Next.js serve a front end that is being written
  origins: ["http://localhost:5173", "http://localhost:3000"],
  passwordSignIn: true,
  throttle: { rate: 200, burst: 100 },
  plans: {
    // small enough that whoever builds a client meets both kinds of 429
    trial: { rate: 50, burst: 20, quota: { limit: 200, period: "day" } },
    partner: { rate: 100, burst: 100, quota: { limit: 100_000, period: "month" } },
  },
  presets,
  ingestConcurrency: 5,
  noncurrentDays: 1,
  logDays: 7,
};

/** Costs nothing, so that only the account's own ceiling is left: a load test measures the service. */
const laptop: Settings = { ...personal, throttle: { rate: 10_000, burst: 5_000 } };
