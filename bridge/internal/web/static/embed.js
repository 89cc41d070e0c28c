// The one script another site's page has of the chat, as /chat.js. It is none of
// the page's modules, so that it can read the attributes of its own element.
{
  const self = document.currentScript || document.querySelector("script[src*='/chat.js'][data-key]");
  const begin = () => import(new URL("/assets/widget.js", self.src))
    .then(({ start }) => start(self.dataset))
    .catch((problem) => console.warn("The chat is not shown:", problem.advice || problem.message));
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin, { once: true });
}
