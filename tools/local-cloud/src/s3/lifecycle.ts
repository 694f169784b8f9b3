import type { Bucket, LifecycleRule } from "./bucket.ts";
import type { S3 } from "./types.ts";
import type { Cause } from "./object-events.ts";
import type { Version } from "./store.ts";
import { deleteVersion } from "./delete-version.ts";

const DAY = 24 * 60 * 60 * 1000;
/** S3 runs its rules once a day. Running them more often does no harm, because expiry is computed to midnights. */
const BETWEEN_SWEEPS = 60 * 60 * 1000;

/** Runs the lifecycle rules periodically until the signal is aborted. */
export async function run(s3: S3, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      runRules(s3);
      await s3.clock.sleep(BETWEEN_SWEEPS, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Removes what is due by the rules of every bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html */
function runRules(s3: S3): void {
  for (const bucket of s3.buckets.values())
    for (const rule of bucket.lifecycle) {
      if (rule.expireAfterDays || rule.expireLoneMarkers || rule.noncurrent)
        sweepVersions(s3, bucket, rule);
      if (rule.abortUploadsAfterDays)
        sweepUploads(s3, bucket, rule.prefix, rule.abortUploadsAfterDays);
    }
}

function sweepVersions(s3: S3, bucket: Bucket, rule: LifecycleRule): void {
  const step = s3.store.nextVersion(bucket.name);
  let history: Version[] = [];
  const settle = () => {
    if (history.length > 0) expire(s3, bucket, rule, history);
    history = [];
  };
  let version = step({ key: rule.prefix });
  while (version?.key.startsWith(rule.prefix)) {
    if (history[0] && history[0].key !== version.key) settle();
    history.push(version);
    version = step({ key: version.key, below: version.seq });
  }
  settle();
}

/** `history` has all versions of one key, newest first. */
function expire(s3: S3, bucket: Bucket, rule: LifecycleRule, history: Version[]): void {
  const now = s3.clock.now();
  const [newest] = history as [Version];
  const noncurrent = history.slice(1 + (rule.noncurrent?.keep ?? 0));
  // a version is noncurrent from the creation of its successor on
  const old = noncurrent.filter((version) => {
    const successor = history[history.indexOf(version) - 1]!;
    return rule.noncurrent && due(successor.modified, rule.noncurrent.days) <= now;
  });
  const isLone = newest.marker && old.length === history.length - 1;
  const isDue =
    rule.expireAfterDays !== undefined && due(newest.modified, rule.expireAfterDays) <= now;
  const expires = isDue && !newest.marker;
  const clears = isLone && (rule.expireLoneMarkers || isDue);
  if (!expires && !clears && old.length === 0) return;
  s3.store.transaction(() => {
    const cause = causeOf(bucket);
    for (const { key, versionId } of old)
      deleteVersion(s3, cause, bucket, key, versionId, "LifecycleExpiration");
    if (expires) deleteVersion(s3, cause, bucket, newest.key, undefined, "LifecycleExpiration");
    if (clears)
      deleteVersion(s3, cause, bucket, newest.key, newest.versionId, "LifecycleExpiration");
  });
}

function sweepUploads(s3: S3, bucket: Bucket, prefix: string, days: number): void {
  let [afterKey, afterId] = ["", ""];
  for (;;) {
    const page = s3.uploads.list(bucket.name, prefix, afterKey, afterId, 1000);
    for (const { id, initiated } of page)
      if (due(initiated, days) <= s3.clock.now())
        s3.store.transaction(() => s3.store.free(s3.uploads.end(id)));
    const last = page.at(-1);
    if (!last) return;
    [afterKey, afterId] = [last.key, last.id];
  }
}

/** The number of days is added and the result rounded up to the next midnight UTC. https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days */
const due = (from: number, days: number) => Math.ceil((from + days * DAY) / DAY) * DAY;

const causeOf = (bucket: Bucket): Cause => ({
  bucket,
  principalId: "AmazonS3",
  requestId: "lifecycle",
  hostId: "lifecycle",
  sourceIp: "s3.amazonaws.com",
});
