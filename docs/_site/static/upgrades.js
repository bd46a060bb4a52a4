// A box on the page of an upgrade: it hides what does not concern the optimizers, schedulers and others that are
// named in it. Without it, the page tells everything. `upgrade` says what each claim on the page is about.

(() => {
  const items = [...document.querySelectorAll("article section > ul > li, article details > ul > li")];
  const lowered = new Map(Object.keys(upgrade.kinds).map((name) => [name.toLowerCase(), name]));

  const namesIn = (text) => {
    const about = {};
    for (const word of text.match(/\w+/g) ?? []) {
      if (Object.hasOwn(upgrade.kinds, word)) (about[upgrade.kinds[word]] ??= []).push(word);
    }
    return about;
  };

  // What each line of an item is about: names by kind, once for each claim of the line. The title of a finding
  // says it better than its claims, if it names anything.
  const subjectsOf = (item) => {
    const finding = item.querySelector('a[href*="findings/"]');
    const titled = finding ? namesIn(finding.textContent) : {};
    if (Object.keys(titled).length) return [[titled]];
    const lines = [[]];
    for (const node of item.querySelectorAll("code, br")) {
      if (node.tagName === "BR") lines.push([]);
      else if (node.textContent in upgrade.claims) lines.at(-1).push(upgrade.claims[node.textContent]);
    }
    const told = lines.filter((line) => line.length);
    return told.length ? told : [[namesIn(item.textContent)]];
  };

  // The same rule as `--for`: of every kind that is spoken of, something has to be used, or its base class.
  const concerns = (about, used) => {
    const of = (kind) => used.filter((name) => upgrade.kinds[name] === kind);
    const kinds = Object.keys(about).filter((kind) => kind !== "except");
    const meets = (kind) => {
      const own = of(kind).filter((name) => !(about.except ?? []).includes(name));
      const based = about[kind].some((name) => upgrade.bases[name] === kind);
      return own.length > 0 && (based || own.some((name) => about[kind].includes(name)));
    };
    const missed = kinds.filter((kind) => !meets(kind));
    const untold = missed.length < kinds.length && of("optimizer").length === 0;
    return missed.every((kind) => kind === "optimizer" && untold);
  };

  const about = new Map(items.map((item) => [item, subjectsOf(item)]));
  const titles = new Map();
  for (const item of items) {
    const block = item.closest("details") ?? item.closest("section");
    const title = block.querySelector("summary, h2");
    if (title) titles.set(title, [...(titles.get(title) ?? []), item]);
  }

  const form = document.createElement("form");
  form.className = "of-a-training";
  form.innerHTML = `<label>Only what concerns <input list="names" name="for" autocomplete="off"
    placeholder="AdamW, OneCycleLR, GradScaler"></label><datalist id="names"></datalist> <output></output>`;
  const [box, list, told] = ["input", "datalist", "output"].map((tag) => form.querySelector(tag));
  document.querySelector("article h2")?.closest("section").before(form);

  const offer = (before, used) => {
    const begin = before.length ? `${before.join(", ")}, ` : "";
    const left = Object.keys(upgrade.kinds).filter((name) => !used.includes(name));
    list.replaceChildren(...left.map((name) => new Option("", begin + name)));
  };

  const show = () => {
    const words = box.value.split(",").map((word) => word.trim()).filter(Boolean);
    const used = words.map((word) => lowered.get(word.toLowerCase())).filter(Boolean);
    const unknown = words.filter((word) => !lowered.has(word.toLowerCase()));
    let shown = 0;
    for (const item of items) {
      item.hidden = used.length > 0 &&
        !about.get(item).every((line) => line.some((each) => concerns(each, used)));
      shown += !item.hidden;
    }
    for (const [title, own] of titles) {
      const left = own.filter((item) => !item.hidden).length;
      title.dataset.left = used.length ? ` \u00b7 ${left} of them here` : "";
    }
    told.textContent = [
      used.length ? `${shown} of ${items.length} lines` : "",
      unknown.length ? `torch.optim has no ${unknown.join(", ")}` : "",
    ].filter(Boolean).join("; ");
    offer(words.slice(0, -1), used);
    const address = new URL(location);
    if (used.length) address.searchParams.set("for", used.join(","));
    else address.searchParams.delete("for");
    history.replaceState(null, "", address);
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", show);
  box.value = (new URL(location).searchParams.get("for") ?? "").split(",").join(", ");
  show();
})();
