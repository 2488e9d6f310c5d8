// Beats for the Realtime connection: a worker's timers keep their pace while the tab is in the background.
addEventListener("message", ({ data }) => {
  if (data.event === "start") setInterval(() => postMessage({ event: "keepAlive" }), data.interval);
});
