/** Everything that differs between stages; no other file compares stage names. */
export type Settings = {
  region: "eu-central-1";
  removal: "remove" | "retain";
  /** Prevents `sst remove`, `sst dev` and the deletion of users or table. */
  protect: boolean;
  /** Deleting the stage deletes the pictures in it. */
  emptyBucketOnRemoval: boolean;
  /** The origins of web front ends, whose scripts may read responses; without a slash at the end. */
  origins: readonly string[];
  /** Allows sign-in with user name and password in one call, for tests and the local cloud. Browsers use SRP. */
  passwordSignIn: boolean;
  users: Users;
  /** Of the whole API: requests per second, and the burst. The limits of an AWS account are 10,000 and 5,000. */
  throttle: { rate: number; burst: number };
  /** What an API key may request of `/partner/v1`: requests per second, the burst, and the quota per period. */
  plans: Record<"trial" | "partner", Plan>;
  /** Named delivery queries for `/i/{id}/{rev}/{preset}`, each with `w` or `h`. */
  presets: Readonly<Record<string, string>>;
  /** How many ingest functions run at the same time. */
  ingestConcurrency: number;
  /** Days in which deleted and overwritten objects can be restored. */
  noncurrentDays: number;
  logDays: 7 | 90;
};

export type Users = {
  /** Users may add an authenticator app; Cognito then asks for its code at each sign-in. */
  mfa: "OFF" | "OPTIONAL";
  /** How long an ID or access token is valid. The gateway does not ask Cognito whether a token was revoked: for so long, a user that was disabled, deleted or signed out everywhere keeps access. */
  tokenMinutes: number;
  /** After so many days without a visit a person signs in again. */
  refreshTokenDays: number;
  /**
   * Who sends codes by mail. Undefined is Cognito itself: 50 mails a day for the whole account, from no-reply@verificationemail.com.
   * `identityArn` is a verified identity of SES in the same region, outside of SES's sandbox.
   * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-email.html
   */
  mail: { from: string; identityArn: string } | undefined;
} & FeaturePlan;

/**
 * Cognito's price per user and month. LITE has everything that is used here: SRP, codes by mail, authenticator apps.
 * Only PLUS, at several times the price, has threat protection: it refuses passwords known from leaks, and rates each sign-in.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html
 */
type FeaturePlan =
  | { tier: "LITE" | "ESSENTIALS"; threatProtection: "OFF" }
  | { tier: "PLUS"; threatProtection: "AUDIT" | "ENFORCED" };

export type Plan = {
  rate: number;
  burst: number;
  quota: { limit: number; period: "day" | "month" };
};

export function ofStage(stage: string): Settings {
  if (stage === "production") return production;
  return stage === "laptop" ? laptop : personal;
}

/** Front ends that use the same preset share one stored derivative. */
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
  users: {
    mfa: "OPTIONAL",
    tokenMinutes: 15,
    refreshTokenDays: 30,
    mail: undefined,
    tier: "LITE",
    threatProtection: "OFF",
  },
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
  // the development servers of Vite and Next.js
  origins: ["http://localhost:5173", "http://localhost:3000"],
  passwordSignIn: true,
  users: {
    mfa: "OPTIONAL",
    // a developer pastes a token into a terminal
    tokenMinutes: 60,
    refreshTokenDays: 30,
    mail: undefined,
    tier: "LITE",
    threatProtection: "OFF",
  },
  throttle: { rate: 200, burst: 100 },
  plans: {
    // small enough that a developer of a client sees both kinds of 429
    trial: { rate: 50, burst: 20, quota: { limit: 200, period: "day" } },
    partner: { rate: 100, burst: 100, quota: { limit: 100_000, period: "month" } },
  },
  presets,
  ingestConcurrency: 5,
  noncurrentDays: 1,
  logDays: 7,
};

/** The local cloud costs nothing, so only the limits of an AWS account apply: a load test measures the service. */
const laptop: Settings = { ...personal, throttle: { rate: 10_000, burst: 5_000 } };
