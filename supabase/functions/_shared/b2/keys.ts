import { RecorderFailure } from "../errors.ts";
import { storeError } from "./errors.ts";

/** RFC 3986: everything but letters, digits and - . _ ~ is escaped, which is what Signature Version 4 signs. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Letters that stand for themselves, 1024 at most. One class: looking for segments in the pattern takes three times as long. */
const PLAIN_LETTERS = /^[A-Za-z0-9._~/-]{1,1024}$/;

function isPlain(key: string): boolean {
  // What begins with a dot may be . or .. and is looked at closely.
  return PLAIN_LETTERS.test(key) && !key.startsWith(".") && !key.includes("/.");
}

/**
 * An object's path in the bucket, each segment escaped on its own (a literal + would be read as a space by some
 * signers). Throws RecorderFailure `object_key_invalid` for what B2 refuses (empty, more than 1024 bytes, control
 * characters) and for `.` and `..` segments, which URL parsers remove so that the signed path is not the sent one.
 */
export function encodeKey(key: string): string {
  // As good as every key: nothing to escape, nothing to refuse. A playlist asks for thousands.
  if (isPlain(key)) return key;
  const problem = problemOf(key);
  if (problem !== undefined) throw new RecorderFailure(storeError("object_key_invalid", { detail: problem }));
  return key.split("/").map(encodeRfc3986).join("/");
}

function problemOf(key: string): string | undefined {
  if (key === "") return "empty";
  if (!key.isWellFormed()) return "not well-formed Unicode";
  if (new TextEncoder().encode(key).length > 1024) return "longer than 1024 bytes";
  if (/\p{Cc}/u.test(key)) return "holds a control character";
  if (key.split("/").some((segment) => segment === "." || segment === "..")) return "holds a . or .. segment";
  return undefined;
}
