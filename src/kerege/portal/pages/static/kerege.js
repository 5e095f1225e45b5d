// The live panel: asks this server for the newest block each second; without script the page shows the block it was made at.
"use strict";
const panel = document.querySelector("[data-live]");
if (panel) {
  const age = panel.querySelector("[data-age]");
  const unit = age.textContent;
  let time = Number(panel.dataset.time);
  const show = () => { age.textContent = `${Math.max(0, Math.round((Date.now() - time) / 1000))} ${unit}`; };
  const ask = async () => {
    try {
      const answer = await fetch(panel.dataset.live, { cache: "no-store" });
      const live = await answer.json();
      time = live.time;
      panel.querySelector("[data-height]").textContent = live.height;
      panel.querySelector("[data-when]").textContent = live.when;
      panel.classList.remove("lost");
    } catch { panel.classList.add("lost"); }
    show();
  };
  show();
  setInterval(ask, 1000);
}
