// The live panel: asks this server for the newest block each second; without script the page shows the block it was made at.
"use strict";
const panel = document.querySelector("[data-live]");
if (panel) {
  const age = panel.querySelector("[data-age]");
  const unit = age.dataset.unit;
  // The age is the server's, counted on from when it was told: the visitor's clock may be wrong.
  let told = Number(panel.dataset.told), at = performance.now();
  const show = () => { age.textContent = `${Math.max(0, Math.round((told + performance.now() - at) / 1000))} ${unit}`; };
  const ask = async () => {
    try {
      const answer = await fetch(panel.dataset.live, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const live = await answer.json();
      told = live.age;
      at = performance.now();
      panel.querySelector("[data-height]").textContent = live.height;
      panel.querySelector("[data-when]").textContent = live.when;
      panel.classList.remove("lost");
    } catch { panel.classList.add("lost"); }
    show();
  };
  show();
  setInterval(ask, 1000);
}
