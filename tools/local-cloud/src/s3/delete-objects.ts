import * as Access from "./access.ts";
import * as Payload from "./payload.ts";
import type { Action } from "./types.ts";
import * as ObjectEvents from "./object-events.ts";
import { S3Error } from "./s3-error.ts";
import * as Xml from "./xml.ts";
import * as XmlRequest from "./xml-request.ts";
import { actionOf, deleteVersion, demandMatch } from "./delete-version.ts";

/** As many as a thousand keys; each succeeds or fails alone. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export const deleteObjects: Action = async (s3, call) => {
  const { headers } = call;
  if (headers["content-md5"] === undefined && !Payload.checksumOf(headers))
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: Content-Md5 OR x-amz-checksum-*",
    );
  const { targets, quiet } = parse(await Payload.text(call, MAX_DOCUMENT_BYTES));
  const results = s3.store.transaction(() =>
    targets.map(({ key, versionId, etag }): Xml.Markup => {
      const one = {
        ...call,
        key,
        headers: { "if-match": etag },
        query: new Map(versionId ? [["versionId", versionId]] : []),
      };
      const name = [Xml.element("Key", key), ...Xml.optional("VersionId", versionId)];
      try {
        const refused = Access.refuse(s3, one, actionOf(versionId));
        if (refused) throw refused;
        if (etag !== undefined) demandMatch(one, s3.store.current(call.bucket.name, key));
        const removed = deleteVersion(s3, ObjectEvents.causeOf(call), call.bucket, key, versionId);
        const marker = removed?.marker
          ? [
              Xml.element("DeleteMarker", true),
              Xml.element("DeleteMarkerVersionId", removed.versionId),
            ]
          : [];
        return Xml.element("Deleted", [...name, ...marker]);
      } catch (error) {
        if (!(error instanceof S3Error)) throw error;
        const why = [Xml.element("Code", error.code), Xml.element("Message", error.message)];
        return Xml.element("Error", [...name, ...why]);
      }
    }),
  );
  const listed = quiet ? results.filter(({ markup }) => markup.startsWith("<Error>")) : results;
  return { body: Xml.document("DeleteResult", listed) };
};

/** The largest request document, in bytes: a thousand keys of a kilobyte with every character as an entity of five, and their tags. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

const MAX_KEYS = 1000;

function parse(source: string) {
  const root = XmlRequest.parse(source);
  const objects =
    root?.name === "Delete" ? root.children.filter(({ name }) => name === "Object") : [];
  const targets = objects.map((object) => ({
    key: XmlRequest.child(object, "Key")?.text ?? "",
    versionId: XmlRequest.child(object, "VersionId")?.text,
    etag: XmlRequest.child(object, "ETag")?.text,
  }));
  if (targets.length === 0 || targets.length > MAX_KEYS || targets.some(({ key }) => !key))
    throw new S3Error(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  return { targets, quiet: XmlRequest.child(root!, "Quiet")?.text === "true" };
}
