// The referral form inside any site. The script puts <winnerr-referral agent="…"> after itself; a site may also write
// that element on its own. The build fills in the wording and the style and takes comments and line ends away: every
// statement ends with a semicolon, comments start with //, and there are no regular expressions.
(() => {
  "use strict";
  const WORDING = __WORDING__;
  const CSS = __CSS__;
  const ELEMENT = "winnerr-referral";
  const ATTRIBUTES = ["agent", "agent-name", "lang"];
  const TIMEOUT_MS = 20000;

  // What both people have: how the field's name ends, type, longest text, what a browser may fill in.
  const PERSON = [
    ["Name", "text", 200, "name"],
    ["Email", "email", 254, "email"],
    ["Phone", "tel", 32, "tel"]
  ];
  // Some answers come from the gateway, without our code in them: their status says enough.
  const PROBLEMS = { 404: "not_found", 413: "body_too_large", 429: "too_many_requests" };
  // Up to so many seconds, one unit of which has so many, it is called …
  const TIMES = [[90, 1, "seconds"], [5400, 60, "minutes"], [Infinity, 3600, "hours"]];

  // Important inside the shadow tree wins over important in the site. `all` spares the variables that form.css offers
  // and the direction; light-dark() has to follow the site, and what the site hides has to be hidden.
  const HOST_CSS = ":host{all:initial!important;display:block!important;color-scheme:inherit!important;" +
    "visibility:inherit!important;pointer-events:inherit!important;direction:ltr!important;unicode-bidi:isolate!important}:host([hidden]){display:none!important}";

  const script = document.currentScript;
  if (!script) {
    return;
  }

  // Older browsers have no sheet to share: each form brings its own style.
  let sheet;
  try {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(HOST_CSS + CSS);
    sheet = document.adoptedStyleSheets && sheet;
  } catch {
    sheet = null;
  }

  // An attribute without a value is removed.
  const set = (node, attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value) {
        node.setAttribute(name, value);
      } else {
        node.removeAttribute(name);
      }
    }
    return node;
  };

  const make = (tag, attributes, ...children) => {
    const node = set(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };

  // randomUUID is missing where the site comes without TLS.
  const newKey = () =>
    crypto.randomUUID ? crypto.randomUUID() : crypto.getRandomValues(new Uint32Array(4)).join("-");

  const waitingTime = (seconds, times) => {
    const [, length, name] = TIMES.find(([most]) => seconds <= most);
    return times[name].replace("{n}", Math.ceil(seconds / length));
  };

  const render = (host) => {
    const agent = host.getAttribute("agent");
    const place = host.closest("[lang]");
    const language = [place && place.lang, navigator.language, "en"]
      .map((tag) => (tag || "").toLowerCase().split("-")[0])
      .find((tag) => WORDING[tag]);
    const text = WORDING[language];
    const address = new URL("../api/public/referral/" + encodeURIComponent(agent), host.source || script.src);
    const agentName = host.getAttribute("agent-name");
    const root = make("div", { class: "form", lang: language });
    const shadow = host.shadowRoot || host.attachShadow({ mode: "open" });
    if (sheet) {
      shadow.adoptedStyleSheets = [sheet];
      shadow.replaceChildren(root);
    } else {
      shadow.replaceChildren(make("style", {}, HOST_CSS + CSS), root);
    }

    // Same content, same key: a try whose answer was lost is not counted twice.
    let key;
    let keysContent;

    const soft = (words, id) => make("p", { class: "soft", id }, words);
    const hintId = (name) => text.hints[name] ? name + "-hint" : "";
    const hint = (name) => text.hints[name] ? [soft(text.hints[name], hintId(name))] : [];

    const showForm = () => {
      const controls = new Map();
      let isSending = false;

      const control = (tag, name, attributes) => {
        const node = make(tag, { id: name, name, "aria-describedby": hintId(name), ...attributes });
        controls.set(name, node);
        return node;
      };
      const label = (name, ...children) => make("label", { for: name }, text.labels[name], ...children);
      const group = (name, ...children) =>
        make("fieldset", { "aria-describedby": hintId(name) },
          make("legend", {}, text[name]), ...hint(name), ...children);
      const person = (who, section) => {
        const [name, ...contact] = PERSON.map(([part, type, maxlength, autocomplete]) => {
          const isRequired = part === "Name";
          const mark = isRequired ? [" ", make("span", { class: "soft" }, text.required)] : [];
          return make("div", {}, label(who + part, ...mark), control("input", who + part, {
            type,
            maxlength,
            autocomplete: section + autocomplete,
            "aria-required": isRequired && "true"
          }));
        });
        return [name, make("div", { class: "two" }, ...contact)];
      };

      // Password managers fill in what they know, unless they are asked not to.
      const trap = make("input", {
        id: "website", name: "website", tabindex: -1, autocomplete: "off", "data-1p-ignore": "1", "data-lpignore": "true"
      });
      const alert = make("div", { class: "alert", role: "alert", id: "problem", tabindex: -1 });
      const button = make("button", { type: "submit" }, text.send);
      const form = make("form", { novalidate: "novalidate" },
        group("you", ...person("referrer", "")),
        group("friend", ...person("referred", "section-friend "),
          make("div", {}, label("notes"), ...hint("notes"), control("textarea", "notes", { maxlength: 4000 }))),
        group("consent", ...Object.entries(text.consents).map(([name, words]) =>
          make("div", {}, make("label", { class: "box" }, control("input", name, { type: "checkbox" }),
            make("span", {}, words))))),
        soft(text.privacy),
        make("div", { class: "website", "aria-hidden": "true" }, make("label", { for: trap.id }, text.trap), trap),
        alert,
        button);

      const setError = (name, words) => {
        const node = controls.get(name);
        const id = words ? name + "-error" : "";
        set(node, { "aria-invalid": words && "true", "aria-describedby": (hintId(name) + " " + id).trim() });
        if (words) {
          node.closest("div").append(make("p", { class: "error", id }, words));
        }
      };

      const content = () => {
        const fields = { channel: "WIDGET", consentTextId: text.consentTextId };
        for (const [name, node] of [...controls, [trap.id, trap]]) {
          const value = node.type === "checkbox" ? node.checked : node.value.trim();
          if (value) {
            fields[name] = value;
          }
        }
        return JSON.stringify(fields);
      };

      const post = async () => {
        const response = await fetch(address, {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": key },
          body: keysContent,
          credentials: "omit",
          // The address of the site's page is not ours to know.
          referrerPolicy: "no-referrer",
          // Where there is none, the browser's own patience ends it.
          signal: AbortSignal.timeout && AbortSignal.timeout(TIMEOUT_MS)
        });
        const answer = await response.json().catch(() => null);
        const seconds = Number(response.headers.get("retry-after")) || 60;
        return { ...answer, status: response.status, seconds };
      };

      // Says what is wrong, and where.
      const report = ({ status, code, errors, seconds }) => {
        for (const error of errors || []) {
          const name = error.pointer.slice(1);
          if (controls.has(name) && !controls.get(name).hasAttribute("aria-invalid")) {
            setError(name, text.errors[error.code] || text.errors.invalid);
          }
        }
        const wrong = form.querySelector("[aria-invalid]");
        const problem = PROBLEMS[status] || (code === "self_referral" ? code : "failed");
        alert.textContent = wrong ? text.check
          : text.problems[problem].replace("{time}", waitingTime(seconds, text.times));
        (wrong || alert).focus();
      };

      const send = async () => {
        const typed = content();
        if (typed !== keysContent) {
          keysContent = typed;
          key = newKey();
        }
        let answer = await post();
        if (answer.code === "idempotency_key_reused") {
          key = newKey();
          answer = await post();
        }
        if (answer.status === 201 && answer.receiptId) {
          keysContent = "";
          showDone(answer.receiptId);
        } else {
          report(answer);
        }
      };

      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        // The button is not disabled while sending: it would lose the focus.
        if (isSending) {
          return;
        }
        isSending = true;
        for (const error of form.querySelectorAll(".error")) {
          error.remove();
        }
        for (const name of controls.keys()) {
          setError(name, "");
        }
        alert.textContent = "";
        set(button, { "aria-disabled": "true" }).textContent = text.sending;
        try {
          await send();
        } catch {
          alert.textContent = text.problems[navigator.onLine === false ? "offline" : "failed"];
          alert.focus();
        }
        isSending = false;
        set(button, { "aria-disabled": "" }).textContent = text.send;
      });

      root.replaceChildren(
        make("h2", {}, agentName ? text.titleTo.split("{agent}").join(agentName) : text.title),
        make("p", {}, text.intro),
        form);
      return controls.get("referrerName");
    };

    const showDone = (receiptId) => {
      const heading = make("h2", { tabindex: -1 }, text.done);
      const again = make("button", { type: "button" }, text.again);
      again.addEventListener("click", () => showForm().focus());
      root.replaceChildren(make("div", { role: "status" },
        heading, make("p", {}, text.doneText), soft(text.receipt + " " + receiptId), again));
      heading.focus();
      // Who took the element away meanwhile still counts what was sent.
      (host.isConnected ? host : document).dispatchEvent(new CustomEvent("referral-sent", { bubbles: true, composed: true, detail: { receiptId } }));
    };

    if (agent) {
      showForm();
    }
  };

  // The same script may stand in the page more than once: the first one defines the element.
  if (!customElements.get(ELEMENT)) {
    customElements.define(ELEMENT, class extends HTMLElement {
      static get observedAttributes() {
        return ATTRIBUTES;
      }

      attributeChangedCallback() {
        this.show();
      }

      connectedCallback() {
        this.show();
      }

      // For somebody else, or in another language, it is another form. One that is only moved keeps what was typed.
      show() {
        const wanted = ATTRIBUTES.map((name) => this.getAttribute(name)).join();
        if (this.isConnected && this.shown !== wanted) {
          this.shown = wanted;
          render(this);
        }
      }
    });
  }

  const { agent, lang, agentName } = script.dataset;
  const next = script.nextElementSibling;
  // A page that was kept and is shown again has the element already.
  if (agent && !(next && next.localName === ELEMENT)) {
    const element = make(ELEMENT, { agent, lang, "agent-name": agentName });
    element.source = script.src;
    if (document.head.contains(script)) {
      // Nothing is seen in the head.
      document.addEventListener("DOMContentLoaded", () => document.body.append(element));
    } else {
      script.after(element);
    }
  }
})();
