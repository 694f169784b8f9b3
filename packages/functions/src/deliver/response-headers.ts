import { formats } from "@balde/imaging/format";
import type { Plan } from "@balde/imaging/plan";
import type { Request } from "@balde/imaging/request";

type Address = {
  rev?: string | undefined;
  preset?: string | undefined;
  /** Another size than was asked for. */
  isSnapped?: boolean;
  isPublic: boolean;
  /** When its signature ends, in seconds. */
  ends?: number | undefined;
};

/** A private picture is for the one who asked, and no cache keeps anything for longer than its signature is good. */
export function caching(address: Address, request: Request): Record<string, string> {
  const { isPublic, ends } = address;
  const lasting = lifetime(address);
  const left = ends === undefined ? Infinity : Math.max(0, ends - Math.floor(Date.now() / 1000));
  const seconds = Math.min(lasting.seconds, left);
  const after = ends === undefined ? lasting.after : ["must-revalidate"];
  const directives = [isPublic ? "public" : "private", `max-age=${seconds}`, ...after];
  return {
    "Cache-Control": directives.join(", "),
    ...((request.f ?? "auto") === "auto" && { Vary: "Accept" }),
  };
}

/** A revision never changes; what a preset means may change with the next deployment, and what was rounded may be exact some day; whatever is newest without a revision may be another or deleted a minute later. */
function lifetime({ rev, preset, isSnapped }: Address): { seconds: number; after: string[] } {
  if (rev === undefined) return { seconds: 60, after: ["must-revalidate"] };
  if (preset !== undefined || isSnapped) return { seconds: 86_400, after: [] };
  return { seconds: 31_536_000, after: ["immutable"] };
}

/** Pictures come from strangers: whatever a browser is made to believe, it shows a picture or nothing. They are public, so any page may read them. */
export const safety: Record<string, string> = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers":
    "ETag, Content-Length, Content-Location, Content-Range, Server-Timing, Retry-After, x-amzn-RequestId",
  "Timing-Allow-Origin": "*",
};

export function content(id: string, plan: Plan, dl: string | undefined): Record<string, string> {
  const { contentType, extension } = formats[plan.encoding.format];
  return {
    "Content-Type": contentType,
    "Accept-Ranges": "bytes",
    "Content-Disposition":
      dl === undefined ? `inline; filename="${id}.${extension}"` : attached(dl, extension),
  };
}

/** The name twice, for old and new browsers (RFC 6266 §4.3): as plain ASCII and exactly. It ends as the format does, which with `f=auto` only we know. */
function attached(name: string, extension: string) {
  const endsSo = name.toLowerCase().endsWith(`.${extension}`);
  const whole = endsSo ? name : `${name}.${extension}`;
  const plain = whole.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(whole).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
