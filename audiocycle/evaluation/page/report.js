// The page reads without this. It shows where a recording plays, seeks by a click into its picture, and lets one play at a time.
for (const sound of document.querySelectorAll(".sound")) {
  const audio = sound.querySelector("audio");
  const picture = sound.querySelector(".picture");
  const head = document.createElement("i");
  head.className = "head";
  head.hidden = true;
  picture.append(head);
  const follow = () => {
    head.hidden = !audio.duration || audio.ended;
    head.style.left = `${(100 * audio.currentTime) / (audio.duration || 1)}%`;
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    follow();
  });
  for (const event of ["seeked", "pause", "ended"]) audio.addEventListener(event, follow);
  picture.addEventListener("click", (click) => {
    const box = picture.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (click.clientX - box.left) / box.width));
    const seek = () => {
      audio.currentTime = share * audio.duration;
      audio.play().catch(() => {}); // paused again at once, or not allowed
    };
    if (audio.readyState) return seek();
    audio.addEventListener("loadedmetadata", seek, { once: true });
    audio.load();
  });
}
