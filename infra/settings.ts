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
  /** Of each method of the API: requests per second, and the burst. The limits of an AWS account, for all APIs together, are 10,000 and 5,000. */
  throttle: Rate;
  /** Lower limits for methods whose requests cost more; routes.ts says which method has which. */
  throttles: Partial<Record<ThrottleName, Rate>>;
  /** Of a client's address: how many requests in how many seconds, counted by AWS WAF at 6 USD a month and 0.60 USD per million requests. */
  addressLimit: { requests: number; seconds: 60 | 120 | 300 | 600 } | undefined;
  /**
   * Concurrent executions that Lambda keeps for a function and never exceeds. An account has 1,000 in all, and must leave 100
   * unreserved; a new account may have 10, and then a deploy with any reservation fails, so only a stage of an account whose quota
   * is 1,000 can have them. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   */
  reservedConcurrency: Partial<Record<"ApiHandler" | "Deliver", number>>;
  /** Tells people when something needs them; `mail` is an address that confirms the subscription. An account's first ten alarms cost nothing. */
  alarms: { mail: string | undefined } | undefined;
  /** What an API key may request of `/partner/v1`: requests per second, the burst, and the quota per period. */
  plans: Record<"trial" | "partner", Plan>;
  /** Named delivery queries for `/i/{id}/{rev}/{preset}`, each with `w` or `h`. */
  presets: Readonly<Record<string, string>>;
  /** What one user may have and do. */
  limits: Limits;
  /** How many ingest functions run at the same time. */
  ingestConcurrency: number;
  /** How many of them may work on images of one owner; the others remain for the other owners. */
  ingestSlots: number;
  /** Days in which deleted and overwritten objects can be restored. */
  noncurrentDays: number;
  logDays: 7 | 90;
};

/** Requests per second, and how many may come at once: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html */
export type Rate = { rate: number; burst: number };

/** `upload`: each request may cost ingest seconds of a processor. `sign`: up to a hundred signatures. `deliver`: may render. */
export type ThrottleName = "upload" | "sign" | "deliver";

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

export type Limits = {
  images: number;
  /** Of the originals. */
  bytes: number;
  /** Uploads whose bytes have not come. One that never comes counts for a day. */
  openUploads: number;
  /** Names of such uploads, which no other user can take meanwhile. */
  reservedNames: number;
  /** Each may cost a render and a stored derivative. Counted per day in UTC. */
  signedUrlsPerDay: number;
};

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
  throttles: {
    // ingest stores some 25 pictures a second with 50 functions: what is above waits in the queue
    upload: { rate: 50, burst: 200 },
    sign: { rate: 100, burst: 100 },
    // one method's burst fits into Deliver's reserved concurrency: the gateway's 429 says when to come back, Lambda's is a 500
    deliver: { rate: 1_000, burst: 500 },
  },
  // 20 a second for five minutes: a fast reader of a gallery makes 5, and several people may share an address
  addressLimit: { requests: 6_000, seconds: 300 },
  // Renders can take 500, and never the 200 of the API, at 20 ms a request enough for the 2,000 a second of one method. The other
  // 300 are for ingest (50 for each of its two queues), streams and operators: were they taken, SQS would count each refused
  // attempt, and uploads would end as dead letters.
  reservedConcurrency: { ApiHandler: 200, Deliver: 500 },
  alarms: { mail: undefined },
  plans: {
    trial: { rate: 5, burst: 10, quota: { limit: 1_000, period: "day" } },
    partner: { rate: 100, burst: 200, quota: { limit: 5_000_000, period: "month" } },
  },
  presets,
  limits: {
    images: 50_000,
    // two dollars a month in S3
    bytes: 100 * 2 ** 30,
    // a client that sends a folder opens its uploads as it goes
    openUploads: 500,
    reservedNames: 100,
    // two hundred pages of a hundred URLs
    signedUrlsPerDay: 20_000,
  },
  ingestConcurrency: 50,
  ingestSlots: 10,
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
  throttles: {
    upload: { rate: 20, burst: 50 },
    sign: { rate: 20, burst: 20 },
    deliver: { rate: 100, burst: 100 },
  },
  addressLimit: undefined,
  reservedConcurrency: {},
  alarms: undefined,
  plans: {
    // small enough that a developer of a client sees both kinds of 429
    trial: { rate: 50, burst: 20, quota: { limit: 200, period: "day" } },
    partner: { rate: 100, burst: 100, quota: { limit: 100_000, period: "month" } },
  },
  presets,
  limits: {
    images: 10_000,
    bytes: 10 * 2 ** 30,
    openUploads: 200,
    reservedNames: 50,
    signedUrlsPerDay: 5_000,
  },
  ingestConcurrency: 5,
  ingestSlots: 3,
  noncurrentDays: 1,
  logDays: 7,
};

/** The local cloud costs nothing, so only the limits of an AWS account and of production's users apply: a load test measures the service. */
const laptop: Settings = {
  ...personal,
  throttle: { rate: 10_000, burst: 5_000 },
  throttles: {},
  alarms: { mail: undefined },
  limits: production.limits,
};
