import { unreadable, versionOf } from "./object-headers.ts";
import { ErrorInBody, readText } from "./transport.ts";
import { parseErrorXml, parseMadeXml } from "./xml.ts";

/**
 * What Complete and Copy made. Both send their 200 before they know how they end, and keep the connection alive with
 * spaces: an error can still follow in the body (S3's API reference, CompleteMultipartUpload).
 */
export async function madeOf(response: Response): Promise<{ etag: string; versionId?: string }> {
  const { text } = await readText(response, 65_536);
  const result = parseMadeXml(text.trimStart());
  if (result !== undefined) return { ...result, ...versionOf(response) };
  const told = parseErrorXml(text.trimStart());
  if (told !== undefined) throw new ErrorInBody(told);
  throw unreadable("neither a result nor an error");
}
