import { Download, X } from "lucide-react";
import type { PlaybackAddresses } from "../../backend/playback-addresses.ts";
import { Button, IconButton } from "../../design/button.tsx";
import { formatBytes } from "../../design/format.ts";
import { ProgressBar } from "../../design/progress.tsx";
import { Notice } from "../../design/states.tsx";
import { playerTexts as texts } from "../../texts/player.ts";
import type { DownloadState, useDownload } from "./use-download.ts";

/** The button or buttons that save the recording. */
export function DownloadButtons({
  addresses,
  fileName,
  download,
}: {
  addresses: PlaybackAddresses;
  /** For a file that is put together here. */
  fileName: string;
  download: ReturnType<typeof useDownload>;
}) {
  const isBusy = download.state.kind === "saving" || download.state.kind === "assembling";
  if (addresses.mp4.length === 0) {
    if (addresses.hls === null) return null;
    return (
      <Button
        icon={<Download />}
        isBusy={isBusy}
        title={texts.assembleHint}
        className="max-sm:grow"
        onClick={() => void download.assemble(fileName)}
      >
        {texts.download}
      </Button>
    );
  }
  return addresses.mp4.map((file, index) => (
    <Button
      key={file.file_name}
      icon={<Download />}
      isBusy={isBusy}
      className="max-sm:grow"
      onClick={() => void download.save(addresses, index)}
    >
      {addresses.mp4.length === 1 ? texts.download : texts.downloadPart(index + 1, addresses.mp4.length)}
      <span className="font-normal text-ink-faint">{formatBytes(file.size_bytes)}</span>
    </Button>
  ));
}

/** How far the download is. The region is there before, and tells the end of it, not every step. */
export function DownloadProgress({ state, onCancel }: { state: DownloadState; onCancel: () => void }) {
  const moving = movingOf(state);
  return (
    <>
      {moving !== undefined && (
        <div className="flex items-center gap-3">
          <div className="min-w-0 flex-1 space-y-1.5">
            <p className="text-sm tabular-nums text-ink-soft">{moving.words}</p>
            <ProgressBar percent={moving.percent} label={texts.downloadLabel} />
          </div>
          <IconButton label={texts.cancelDownload} icon={<X />} onClick={onCancel} />
        </div>
      )}
      <div role="status">
        {state.kind === "saved" && <p className="text-sm text-good">{texts.downloaded}</p>}
        {state.kind === "failed" && <Notice tone="bad">{texts.downloadFailed[state.reason]}</Notice>}
      </div>
    </>
  );
}

function movingOf(state: DownloadState): { words: string; percent: number | undefined } | undefined {
  if (state.kind === "assembling") {
    const percent = Math.round(state.share * 100);
    return { words: texts.assembling(percent), percent };
  }
  if (state.kind !== "saving") return undefined;
  const { bytes, totalBytes } = state.progress;
  return totalBytes === null
    ? { words: texts.downloadingSome(formatBytes(bytes)), percent: undefined }
    : {
        words: texts.downloading(formatBytes(bytes), formatBytes(totalBytes)),
        percent: (bytes / totalBytes) * 100,
      };
}
