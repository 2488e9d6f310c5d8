import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { IconButton } from "./button.tsx";
import { classes } from "./class-names.ts";
import type { MenuProps } from "./menu.tsx";

/** The menu itself; see menu.tsx. Not modal: a modal one writes a style into the page, which the policy forbids. */
export default function OpenMenu({ label, icon, items }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} defaultOpen>
      <DropdownMenu.Trigger asChild>
        <IconButton label={label} icon={icon} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          className="z-50 min-w-48 rounded-control border border-line bg-raised p-1 shadow-raised data-[state=open]:animate-appear"
        >
          {items.map((item) => (
            <DropdownMenu.Item
              key={item.label}
              onSelect={item.onSelect}
              className={classes(
                "flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 text-sm outline-none data-[highlighted]:bg-sunken pointer-coarse:min-h-11 [&_svg]:size-4",
                item.isDangerous ? "text-bad" : "text-ink",
              )}
            >
              {item.icon}
              <span className="flex-1">{item.label}</span>
              {item.isChosen && <Check aria-label="chosen" />}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
