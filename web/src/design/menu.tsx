import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./button.tsx";

interface MenuItem {
  label: string;
  icon?: ReactNode;
  onSelect: () => void;
  /** For a choice of one: whether it is the present one. */
  isChosen?: boolean;
}

/**
 * A button with a menu of commands, open when it comes: whoever shows it has been pressed already, as its code is too much for a page
 * whose menu nobody opens. Not modal: a modal one writes a style into the page, which the policy forbids.
 */
export function Menu({ label, icon, items }: { label: string; icon: ReactNode; items: readonly MenuItem[] }) {
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
              className="flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 text-sm text-ink outline-none data-[highlighted]:bg-sunken pointer-coarse:min-h-11 [&_svg]:size-4"
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
