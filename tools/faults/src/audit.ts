import type { Row, Stores, Version } from "./stores.ts";

// What must be true when all messages have been worked on: the row of an image says what there is of it.

type ImageRow = Row & {
  state: string;
  visibility?: string;
  title?: string;
  name?: string;
  rev?: string;
  rungs?: { width: number; height: number; type: string }[];
};

/** Returns a sentence for each object and row that contradicts the row of its image, and for each one that is missing. */
export async function findContradictions(stores: Stores): Promise<string[]> {
  const [rows, versions] = await Promise.all([stores.rows(), stores.versions()]);
  const images = imagesOf(rows);
  const found = [
    ...rows.flatMap((row) => contradictionsOfRow(row, images)),
    ...[...images].flatMap(([id, row]) => missingObjects(id, row, versions)),
    ...versions.flatMap((version) => contradictionsOfObject(version, images)),
  ];
  for (const version of versions)
    if (version.key.startsWith("images/"))
      found.push(...contradictionsOfCopy(version, images, await stores.metadata(version)));
  return [...found, ...wrongCounts(rows)];
}

/** The rows of images by id, also of deleted ones, whose rows have no attribute for it. */
export const imagesOf = (rows: Row[]): Map<string, ImageRow> =>
  new Map(
    rows.flatMap((row) => (isImage(row) ? [[row.pk.replace("IMAGE#", ""), row] as const] : [])),
  );

const isImage = (row: Row): row is ImageRow => row.pk.startsWith("IMAGE#") && row.sk === "META";

/** The id of the image that a row belongs to. */
function imageIdOf({ pk, sk, ...row }: Row): string | undefined {
  if (pk.startsWith("NAME#")) return String(row["imageId"] ?? row["id"]);
  if (sk === "META") return undefined;
  return /^(?:IMAGE|LIKE|TAGGED|MADE)#(img_\w+)/.exec(pk)?.[1];
}

function contradictionsOfRow(row: Row, images: Map<string, ImageRow>): string[] {
  if (isImage(row) && row.state === "processing") return [`${row.pk} is still processing`];
  const id = imageIdOf(row);
  if (!id) return [];
  const state = images.get(id)?.state ?? "absent";
  const isLeft = ["deleted", "absent"].includes(state);
  return isLeft ? [`row ${row.pk} ${row.sk} of an image that is ${state}`] : [];
}

function contradictionsOfObject(version: Version, images: Map<string, ImageRow>): string[] {
  const { key, isMarker } = version;
  if (isMarker) return [`delete marker of ${key}`];
  const id = /img_\w+/.exec(key)?.[0];
  if (!id) return key.startsWith("uploads/") ? [`upload ${key}`] : [];
  const { state = "absent", rev } = images.get(id) ?? {};
  // a copy by request names its revision in its metadata, and is compared with the row when it is used
  const isCopyByRequest = key.startsWith(`derived/${id}/by-request/`);
  if (state === "ready" && rev && (key.includes(`/${rev}`) || isCopyByRequest)) return [];
  return [`object ${key} of an image that is ${state}`];
}

function contradictionsOfCopy(
  { key, isMarker, isLatest }: Version,
  images: Map<string, ImageRow>,
  metadata: Record<string, string> | undefined,
): string[] {
  if (isMarker || !metadata) return [];
  const image = images.get(metadata["image"] ?? "");
  const state = image ? `${image.state}, ${image.visibility}` : "absent";
  const isOurs =
    image?.state === "ready" &&
    image.visibility === "public" &&
    key === `images/${image.name}` &&
    (!isLatest || metadata["rev"] === image.rev);
  return isOurs ? [] : [`copy ${key} of ${metadata["image"]}, which is ${state}`];
}

function missingObjects(id: string, row: ImageRow, versions: Version[]): string[] {
  if (row.state !== "ready") return [];
  const { rev, name, visibility, rungs = [] } = row;
  const expected = [
    `originals/${id}/${rev}`,
    ...rungs.map(
      ({ width, height, type }) =>
        `ladder/${id}/${rev}/${width}x${height}.${type === "image/png" ? "png" : "jpg"}`,
    ),
    ...(name && visibility === "public" ? [`images/${name}`] : []),
  ];
  const stored = new Set(versions.flatMap(({ key, isLatest }) => (isLatest ? [key] : [])));
  return expected.filter((key) => !stored.has(key)).map((key) => `${key} is missing`);
}

function wrongCounts(rows: Row[]): string[] {
  const likes = new Map<string, number>();
  for (const { pk } of rows) {
    const id = /^LIKE#(img_\w+)/.exec(pk)?.[1];
    if (id) likes.set(id, (likes.get(id) ?? 0) + 1);
  }
  return rows.flatMap(({ pk, sk, likes: counted }) => {
    const actual = likes.get(pk.replace("IMAGE#", "")) ?? 0;
    return sk === "COUNT" && counted !== actual
      ? [`${pk} has the count ${String(counted)} of ${actual} likes`]
      : [];
  });
}
