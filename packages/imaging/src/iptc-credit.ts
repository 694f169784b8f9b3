import { type Credit, clean, decode } from "./credit-text.ts";

/** Datasets of record 2, the application record: by-line and copyright notice (IPTC-IIM 4.2, section 6). */
const datasets: Record<number, keyof Credit> = { 80: "artist", 116: "copyright" };
const MARKER = 0x1c;
const APPLICATION_RECORD = 2;
/** Photoshop's image resource with IPTC in it. */
const RESOURCE = Buffer.from("8BIM\x04\x04", "latin1");

/** The two texts of IPTC data, or of Photoshop's image resources with IPTC in them. Invalid data is ignored. */
export function read(iptc: Buffer | undefined): Credit {
  if (!iptc) return {};
  const found: Partial<Record<keyof Credit, string[]>> = {};
  for (let at = startOf(iptc); at + 5 <= iptc.length && iptc[at] === MARKER;) {
    const length = iptc.readUInt16BE(at + 3);
    // an extended dataset, which has more than 32 KB, is no name
    if (length & 0x8000) break;
    const name = iptc[at + 1] === APPLICATION_RECORD ? datasets[iptc[at + 2]!] : undefined;
    const text = name && clean(decode(iptc.subarray(at + 5, at + 5 + length)));
    // a picture can have several authors, each in a dataset of its own
    if (name && text) (found[name] ??= []).push(text);
    at += 5 + length;
  }
  return Object.fromEntries(
    Object.entries(found).map(([name, texts]) => [name, clean(texts.join("; "))]),
  );
}

function startOf(iptc: Buffer): number {
  if (iptc[0] === MARKER) return 0;
  const resource = iptc.indexOf(RESOURCE);
  if (resource < 0) return iptc.length;
  // the resource's name, padded to an even length, and the length of its data
  const name = iptc[resource + RESOURCE.length] ?? 0;
  return resource + RESOURCE.length + name + 1 + ((name + 1) % 2) + 4;
}
