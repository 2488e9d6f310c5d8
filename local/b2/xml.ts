import { XMLParser } from "fast-xml-parser";
import type { z } from "zod";
import { refusal, refuse } from "./refusals/refuse.ts";

/** An element: its name and either its text or its children. */
export type XmlElement = readonly [
  name: string,
  content: string | number | boolean | readonly (XmlElement | undefined)[],
];

const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** The document for a root element in S3's namespace. `undefined` children are left out. */
export function xmlDocument(name: string, content: XmlElement[1]): string {
  return `${DECLARATION}<${name} xmlns="${S3_NAMESPACE}">${contentOf(content)}</${name}>`;
}

/** `<Error>`, which carries no namespace. */
export function xmlErrorDocument(children: readonly XmlElement[]): string {
  return `${DECLARATION}<Error>${contentOf(children)}</Error>`;
}

function contentOf(content: XmlElement[1]): string {
  if (typeof content !== "object") return escapeXml(String(content));
  return content
    .map((child) => (child === undefined ? "" : `<${child[0]}>${contentOf(child[1])}</${child[0]}>`))
    .join("");
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;");
}

/** Elements that may occur several times: always an array, even when there is one. */
const REPEATED = new Set([
  "Part",
  "Object",
  "CORSRule",
  "AllowedOrigin",
  "AllowedMethod",
  "AllowedHeader",
  "ExposeHeader",
  "Rule",
]);

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  // Values stay the text they are: a key such as " 007 " must not become a number or lose its spaces.
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => REPEATED.has(name),
});

/**
 * Parses a request body and checks it against `schema`, which sees the whole document (`{ Delete: { … } }`).
 * @throws S3Error MalformedXML when it is no XML, has a DOCTYPE, or does not fit the schema.
 */
export function parseXml<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  if (text.trim() === "" || text.includes("<!DOCTYPE")) refuse("xml-doctype");
  const checked = schema.safeParse(wellFormed(text));
  if (!checked.success) throw refusal("xml-unfit");
  return checked.data;
}

function wellFormed(text: string): unknown {
  try {
    return parser.parse(text, true);
  } catch {
    // The parser's sentence names lines of the caller's body; S3 says no more than this code.
    throw refusal("xml-malformed");
  }
}
