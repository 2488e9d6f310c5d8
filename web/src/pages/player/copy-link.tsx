import { Check, Link2 } from "lucide-react";
import { useState } from "react";
import { Button } from "../../design/button.tsx";
import { formatClock } from "../../design/format.ts";
import { playerTexts as texts } from "../../texts/player.ts";
import { type PlayClock, useWholeSecond } from "./play-clock.ts";
import { linkAt } from "./time-in-link.ts";

/** Copies the address of this page at the second that is played. */
export function CopyLink({ clock }: { clock: PlayClock }) {
  const second = useWholeSecond(clock);
  const [copied, setCopied] = useState<{ second: number; link: string; isCopied: boolean } | undefined>();
  const words = formatClock(second * 1000);
  const copy = async () => {
    const link = linkAt(location.href, second);
    const isCopied = await navigator.clipboard.writeText(link).then(
      () => true,
      () => false,
    );
    setCopied({ second, link, isCopied });
  };
  const isFresh = copied?.isCopied === true && copied.second === second;
  return (
    <>
      <Button icon={isFresh ? <Check /> : <Link2 />} className="max-sm:grow" onClick={() => void copy()}>
        {texts.copyLink(words)}
      </Button>
      <span role="status" className={copied?.isCopied === false ? "self-center text-sm" : "sr-only"}>
        {copied?.isCopied === true && texts.linkCopied(formatClock(copied.second * 1000))}
        {copied?.isCopied === false && (
          <>
            {texts.copyFailed} <code className="select-all">{copied.link}</code>
          </>
        )}
      </span>
    </>
  );
}
