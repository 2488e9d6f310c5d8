import { lazy, type ReactNode, Suspense, useState } from "react";
import { whenOnline } from "../app/when-online.ts";
import { IconButton } from "./button.tsx";

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  onSelect: () => void;
  /** Drawn as something that cannot be undone. */
  isDangerous?: boolean;
  /** For a choice of one: whether it is the present one. */
  isChosen?: boolean;
}

export interface MenuProps {
  label: string;
  icon: ReactNode;
  items: readonly MenuItem[];
}

const OpenMenu = lazy(whenOnline(() => import("./open-menu.tsx")));

/** A button with a menu of commands. The menu's code comes with its first press. */
export function Menu(props: MenuProps) {
  const [wasAsked, ask] = useState(false);
  const button = (
    <IconButton
      label={props.label}
      icon={props.icon}
      aria-haspopup="menu"
      aria-expanded={false}
      onClick={() => ask(true)}
    />
  );
  return wasAsked ? (
    <Suspense fallback={button}>
      <OpenMenu {...props} />
    </Suspense>
  ) : (
    button
  );
}
