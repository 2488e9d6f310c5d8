import { CircleCheck, Info, TriangleAlert, X } from "lucide-react";
import { Toast } from "radix-ui";
import { Link } from "react-router";
import { en } from "../texts/en.ts";
import { IconButton } from "./button.tsx";
import { hideToast, useToasts } from "./toasts.ts";

const icons = {
  neutral: <Info className="text-ink-soft" />,
  good: <CircleCheck className="text-good" />,
  warn: <TriangleAlert className="text-warn" />,
  bad: <TriangleAlert className="text-bad" />,
};

/** Where toasts appear. Mounted once, when the first one comes. They wait while one points at them or tabs to them (F8). */
export default function ToastViewport() {
  const toasts = useToasts();
  return (
    <Toast.Provider duration={10_000} label={en.notifications} swipeDirection="right">
      {toasts.map((toast) => (
        <Toast.Root
          key={toast.id}
          type={toast.tone === "bad" ? "foreground" : "background"}
          onOpenChange={(isOpen) => !isOpen && hideToast(toast.id)}
          className="flex items-start gap-3 rounded-card border border-line bg-raised p-4 shadow-raised data-[state=open]:animate-appear"
        >
          <span aria-hidden="true" className="mt-0.5 [&_svg]:size-5">
            {icons[toast.tone]}
          </span>
          <div className="min-w-0 flex-1">
            <Toast.Title className="font-semibold">{toast.title}</Toast.Title>
            {toast.text !== undefined && (
              <Toast.Description className="text-sm text-ink-soft">{toast.text}</Toast.Description>
            )}
            {toast.link !== undefined && (
              <Link
                to={toast.link.to}
                onClick={() => hideToast(toast.id)}
                className="mt-1 inline-block text-sm font-medium text-accent-ink underline underline-offset-2"
              >
                {toast.link.label}
              </Link>
            )}
          </div>
          <Toast.Close asChild>
            <IconButton label={en.close} icon={<X />} className="-mr-2 -mt-2" />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="fixed bottom-4 right-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-3 outline-none" />
    </Toast.Provider>
  );
}
