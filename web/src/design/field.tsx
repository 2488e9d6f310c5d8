import { type InputHTMLAttributes, type Ref, useId } from "react";
import { classes } from "./class-names.ts";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  error?: string | undefined;
  ref?: Ref<HTMLInputElement>;
}

/** An input with its label, a hint, and its error, which is announced with the input. */
export function Field({ label, hint, error, className, ...rest }: FieldProps) {
  const id = useId();
  const said = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
    .filter(Boolean)
    .join(" ");
  return (
    <div className={classes("space-y-1.5", className)}>
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <input
        {...rest}
        id={id}
        aria-invalid={error !== undefined || undefined}
        aria-describedby={said || undefined}
        className={classes(
          "block min-h-11 w-full rounded-control border bg-surface px-3 text-base placeholder:text-ink-faint",
          error === undefined ? "border-line-strong" : "border-danger",
        )}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-sm text-ink-soft">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="text-sm text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
