import * as Actor from "../src/actor.ts";
import * as Ingest from "../src/ingest.ts";
import * as Upload from "../src/upload.ts";

/** Does something in the name of a person. */
export const as = <Result>(id: string, body: () => Result) =>
  Actor.provide({ type: "user", id }, body);

export const found: Ingest.Found = {
  type: "image/jpeg",
  bytes: 1000,
  width: 640,
  height: 480,
  hasAlpha: false,
  pages: 1,
  rev: "0123456789ab",
  color: "#808080",
  thumbhash: "AAAA",
  rungs: [],
};

type About = Partial<Parameters<typeof Upload.create>[0]>;

/** An image whose upload is still to come. */
export const pendingImage = async (about: About = {}, owner = "ann") =>
  (await as(owner, () => Upload.create({ type: "image/jpeg", bytes: 1000, ...about }))).image;

/** An image that everybody sees. */
export async function readyImage(about: About = {}, owner = "ann") {
  const { id } = await pendingImage(about, owner);
  await Ingest.begin({ id, sequencer: "01" });
  await Ingest.settle({ id, sequencer: "01" }, found);
  return id;
}
