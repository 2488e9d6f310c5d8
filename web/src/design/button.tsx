import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { Link } from "react-router";
import { classes } from "./class-names.ts";
import { Spinner } from "./spinner.tsx";

export type ButtonLook = "primary" | "secondary" | "quiet" | "danger";
type ButtonSize = "small" | "medium" | "large";

const looks: Record<ButtonLook, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong shadow-card",
  secondary: "bg-surface text-ink border border-line hover:bg-sunken shadow-card",
  quiet: "text-ink-soft hover:bg-sunken hover:text-ink",
  danger: "bg-danger text-white hover:bg-danger-strong shadow-card",
};
// At least 44 px high where fingers point.
const sizes: Record<ButtonSize, string> = {
  small: "min-h-8 px-3 text-sm pointer-coarse:min-h-11",
  medium: "min-h-10 px-4 pointer-coarse:min-h-11",
  large: "min-h-12 px-6 text-base",
};
const base =
  "inline-flex items-center justify-center gap-2 whitespace-nowrap rounded-control font-medium transition-colors duration-100 select-none disabled:opacity-55 disabled:shadow-none [&_svg]:size-4 [&_svg]:shrink-0";

interface Looks {
  look?: ButtonLook;
  size?: ButtonSize;
  icon?: ReactNode;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Looks {
  /** Work is under way: shown, announced, and the button takes no second press. */
  isBusy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  look = "secondary",
  size = "medium",
  icon,
  isBusy,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={isBusy || undefined}
      aria-disabled={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
      className={classes(base, looks[look], sizes[size], className)}
    >
      {isBusy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

/** A link within the portal that looks like a button. `label` says the whole where its text is short. */
export function ButtonLink({
  to,
  label,
  look = "secondary",
  size = "medium",
  icon,
  className,
  children,
}: ButtonLinkProps) {
  return (
    <Link to={to} aria-label={label} className={classes(base, looks[look], sizes[size], className)}>
      {icon}
      {children}
    </Link>
  );
}

interface ButtonLinkProps extends Looks {
  to: string;
  label?: string;
  className?: string;
  children: ReactNode;
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Its name, for screen readers and as a hint under the pointer. */
  label: string;
  icon: ReactNode;
  /** For a button that is switched on and off; the label stays the same. */
  isPressed?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, icon, isPressed, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      aria-pressed={isPressed}
      {...rest}
      className={classes(
        "relative inline-flex size-10 items-center justify-center rounded-control text-ink-soft transition-colors hover:bg-sunken hover:text-ink disabled:opacity-55 pointer-coarse:size-11 [&_svg]:size-5",
        isPressed && "bg-accent-soft text-accent-ink",
        className,
      )}
    >
      {icon}
    </button>
  );
}
