"use strict";
// What pages do beyond HTML. Without it everything still works: this only makes it quicker.

// 1. Lists by keyboard: j and k move, x ticks, Enter opens.
document.addEventListener("keydown", (event) => {
  const table = document.querySelector("table[data-keys]");
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (!table || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...table.querySelectorAll("td.title a:first-of-type")];
  const row = document.activeElement.closest("tr");
  const at = links.findIndex((link) => link.closest("tr") === row);
  if (event.key === "j" || event.key === "k") {
    const next = at < 0 ? 0 : at + (event.key === "j" ? 1 : -1);
    if (links[next]) { links[next].focus(); event.preventDefault(); }
  } else if (event.key === "x" && row) {
    const box = row.querySelector("input[type=checkbox]");
    if (box) { box.checked = !box.checked; event.preventDefault(); }
  }
});

// 2. The count of characters under a text that has a limit.
for (const area of document.querySelectorAll("textarea[data-most]")) {
  const most = Number(area.dataset.most);
  const line = document.createElement("span");
  line.className = "counter";
  line.setAttribute("aria-live", "polite");
  area.after(line);
  const count = () => {
    const length = [...area.value].length;
    line.textContent = `${length} / ${most}`;
    line.classList.toggle("over", length > most);
  };
  area.addEventListener("input", count);
  count();
}

// 3. Ready-made reasons.
for (const picks of document.querySelectorAll("[data-picks]")) {
  const area = document.getElementById(picks.dataset.picks);
  for (const pick of picks.querySelectorAll("button")) {
    pick.hidden = false;
    pick.addEventListener("click", () => {
      area.value = area.value ? `${area.value}\n${pick.textContent}` : pick.textContent;
      area.focus();
    });
  }
}

// 4. Files go up while the text is being written, with their progress.
for (const form of document.querySelectorAll("form[data-write]")) {
  const input = form.querySelector("#upload");
  const button = form.querySelector("button[value=upload]");
  const line = form.querySelector(".progress-line");
  if (!input) continue;
  button.hidden = true;
  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file) return;
    const [bar, words] = [line.querySelector("progress"), line.querySelector("span")];
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/files?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    line.hidden = false;
    words.textContent = file.name;
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total;
    });
    request.addEventListener("load", () => {
      const answer = JSON.parse(request.responseText);
      if (request.status !== 201) {
        words.textContent = `${file.name}：${answer.title} ${answer.detail || ""}`;
        return;
      }
      const item = document.createElement("li");
      const label = document.createElement("label");
      const box = document.createElement("input");
      label.className = "tick";
      Object.assign(box, { type: "checkbox", name: "file", checked: true,
        value: `${answer.digest} ${file.name}` });
      label.append(box, ` ${file.name}`);
      item.append(label);
      form.querySelector("#files").append(item);
      line.hidden = true;
      input.value = "";
    });
    request.addEventListener("error", () => { words.textContent = `${file.name} ✕`; });
    request.send(file);
  });
}

// 5. The number of unread notices, as soon as it changes.
document.addEventListener("htmx:sseMessage", (event) => {
  const count = document.getElementById("unread");
  if (!count || event.detail.type !== "told") return;
  count.textContent = event.detail.data;
  count.hidden = event.detail.data === "0";
});

// 6. htmx sends forms' fields; its requests carry the token of the page as forms do.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("input[name=csrf]");
  if (token && event.detail.verb === "post") event.detail.parameters.csrf = token.value;
});

// 7. A browser without a reader of PDF would save the file instead: it is left the link.
if (navigator.pdfViewerEnabled === false) document.documentElement.classList.add("no-reader");

// 8. What went wrong is where one reads on.
const problem = document.getElementById("problem");
if (problem) problem.focus();
