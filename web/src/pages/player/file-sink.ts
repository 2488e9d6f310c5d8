import { memorySink, type Sink } from "./save-stream.ts";

/** From this size on bytes go straight to disk, where the browser can, and the person says where. */
const TO_DISK_BYTES = 300_000_000;

interface FilePicker {
  showSaveFilePicker(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

function hasPicker(scope: object): scope is FilePicker {
  return "showSaveFilePicker" in scope;
}

/**
 * Where a download goes: a file that the person chose for large ones, else memory and then the browser's own downloads. Must be
 * called while the press is fresh. Throws AbortError where the person chose nothing.
 */
export async function openSink(fileName: string, sizeBytes: number): Promise<Sink<void>> {
  if (sizeBytes >= TO_DISK_BYTES && hasPicker(window)) {
    const handle = await window.showSaveFilePicker({ suggestedName: fileName });
    const file = await handle.createWritable();
    return { write: (bytes) => file.write(bytes), close: () => file.close(), abort: () => file.abort() };
  }
  const memory = memorySink("video/mp4");
  return { ...memory, close: async () => giveToBrowser(await memory.close(), fileName) };
}

/** Hands a finished file to the browser's downloads. */
export function giveToBrowser(file: Blob, fileName: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser has taken it over long before.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
