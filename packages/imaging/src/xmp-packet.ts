import type { Credit } from "./credit-text.ts";

// Apart from xmp-credit.ts, so that delivery does not load a parser of XML.

export const DC = "http://purl.org/dc/elements/1.1/";
export const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/** An XMP packet with nothing but a credit. */
export function create({ artist, copyright }: Credit): string {
  const creator =
    artist && `<dc:creator><rdf:Seq><rdf:li>${escape(artist)}</rdf:li></rdf:Seq></dc:creator>`;
  const rights =
    copyright &&
    `<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">${escape(copyright)}</rdf:li></rdf:Alt></dc:rights>`;
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}"><rdf:Description rdf:about="" xmlns:dc="${DC}">${creator ?? ""}${rights ?? ""}</rdf:Description></rdf:RDF></x:xmpmeta>`;
}

const escape = (text: string) =>
  text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
