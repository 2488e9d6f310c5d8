import { MessageCircleMore } from "lucide-react";

/** Stands for Discord beside its name. */
export function DiscordMark() {
  return <MessageCircleMore aria-hidden="true" className="text-[light-dark(#4752c4,#949cf7)]" />;
}
