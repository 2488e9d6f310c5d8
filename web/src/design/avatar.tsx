import { classes } from "./class-names.ts";

const grounds = [
  "bg-[light-dark(#e0e7ff,#312e81)] text-[light-dark(#3730a3,#c7d2fe)]",
  "bg-[light-dark(#d1fae5,#064e3b)] text-[light-dark(#065f46,#a7f3d0)]",
  "bg-[light-dark(#fef3c7,#713f12)] text-[light-dark(#854d0e,#fde68a)]",
  "bg-[light-dark(#fce7f3,#831843)] text-[light-dark(#9d174d,#fbcfe8)]",
  "bg-[light-dark(#cffafe,#164e63)] text-[light-dark(#155e75,#a5f3fc)]",
];

/** The first letters of a name on a colour of its own; decoration beside the name itself. */
export function Avatar({ name, className = "size-10 text-sm" }: { name: string; className?: string }) {
  const letters = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .slice(0, 2)
    .join("")
    .toUpperCase();
  const hash = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7);
  return (
    <span
      aria-hidden="true"
      className={classes(
        "inline-flex shrink-0 items-center justify-center rounded-full font-semibold",
        grounds[hash % grounds.length],
        className,
      )}
    >
      {letters || "?"}
    </span>
  );
}
