/** Shows where every call is, in one line that is rewritten on a terminal and repeated only on a change elsewhere. */
export function createProgress(say: (line: string) => void): {
  show(call: number, status: string): void;
  end(): void;
} {
  const since = performance.now();
  const statuses = new Map<number, string>();
  const isTerminal = process.stderr.isTTY === true;
  const lineOf = () => {
    const counts = Map.groupBy(statuses.values(), (status) => status);
    const words = [...counts].map(([status, calls]) =>
      statuses.size === 1 ? status : `${calls.length} ${status}`,
    );
    return `${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s  ${words.join(", ")}`;
  };
  // A line that moves tells a person that the wait is one, not a hang.
  const timer = isTerminal ? setInterval(() => process.stderr.write(`\r\x1b[K${lineOf()}`), 200) : undefined;
  timer?.unref();
  return {
    show(call, status) {
      if (statuses.get(call) === status) return;
      statuses.set(call, status);
      if (!isTerminal) say(lineOf());
    },
    end() {
      if (timer === undefined) return;
      clearInterval(timer);
      process.stderr.write("\r\x1b[K");
    },
  };
}
