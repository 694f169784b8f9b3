/** Letters that have no decomposition into a Latin letter and marks. */
const LATIN: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ı: "i",
  ħ: "h",
  ŋ: "n",
  ĸ: "k",
};

const MAX_NAME = 128;

/**
 * A unique name (`name`) for a file name: `ferias-na-praia.jpg` for `férias na praia.jpg`. Other scripts than Latin are not
 * transliterated, because each language does it in its own way.
 * @returns undefined if nothing is left, as of `写真.jpg`: choose a name, or send none
 */
export function slugOf(fileName: string): string | undefined {
  // NFKD of a very long text of combining marks takes seconds
  const base = fileName.slice(-1000).split(/[/\\]/).at(-1)!;
  const text = base
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/\P{ASCII}/gu, (letter) => LATIN[letter] ?? " ");
  const [, stem, ending] = /^(.*?)(\.[a-z0-9]{1,8})?$/s.exec(text)!;
  const extension = ending ?? "";
  const words = stem!
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/\.[.-]*\.|-*\.-*/g, ".")
    .replaceAll(/-+/g, "-");
  const slug = words.replace(/^[^a-z0-9]+/, "").slice(0, MAX_NAME - extension.length);
  const name = slug.replace(/[._-]+$/, "");
  return name ? `${name}${extension}` : undefined;
}
