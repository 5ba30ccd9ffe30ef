// Without this script the form works by page loads. With it, the same form is sent from where it stands, so that a
// network that fails takes nothing away that was typed. The server's answer is the page in either case.
document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (button.ariaDisabled === "true") return;
  const label = button.textContent;
  const tell = (text) => {
    const problem = document.getElementById("problem");
    problem.textContent = text;
    problem.focus();
  };
  button.ariaDisabled = "true";
  button.textContent = form.dataset.sending;
  try {
    const answer = await fetch(location.href, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      // Where there is none, the browser's own patience ends it.
      signal: AbortSignal.timeout && AbortSignal.timeout(20000),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Not every answer is ours: the gateway has its own, and so have the networks of hotels.
    const main = page.querySelector("main.form");
    const next = main && main.querySelector("[autofocus]");
    if (next && (answer.ok || main.querySelector("form"))) {
      document.querySelector("main").replaceWith(main);
      document.title = page.title;
      next.focus();
      return;
    }
    // A page without the form would take away what was typed: its text is enough.
    const text = main && main.querySelector(".text");
    tell(text ? text.textContent : form.dataset.failed);
  } catch {
    tell(navigator.onLine ? form.dataset.failed : form.dataset.offline);
  }
  button.ariaDisabled = "false";
  button.textContent = label;
});
