"use strict";
// Rating of pairs of clips, without a network. The first half computes and is tested by itself; the second half draws.

const SCALES = ["lips", "emotion", "naturalness"];
const WORDS = ["bad", "poor", "fair", "good", "excellent"]; // ITU-T P.800
const CHOICES = ["left", "none", "right"];

// FNV-1a, 32 bit, of a text's UTF-8 bytes, as eight hexadecimal digits.
function checksum(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

// Every rater sees the pairs in an order of their own, always the same for the same name.
function orderFor(trials, page, rater) {
  const keyed = trials.map((trial) => [checksum(`${page} ${rater} ${trial.id}`), trial]);
  return keyed.sort((one, other) => (one[0] < other[0] ? -1 : 1)).map((pair) => pair[1]);
}

function whole(answer) {
  const sides = answer && answer.left && answer.right ? [answer.left, answer.right] : [];
  return sides.length === 2 && CHOICES.includes(answer.preferred) && sides.every((side) => SCALES.every((scale) => side[scale] >= 1));
}

function lineOf(answer) {
  const side = (name) => SCALES.map((scale) => answer[name][scale]).join(",");
  return [answer.trial, side("left"), side("right"), answer.preferred].join("|");
}

// What is saved: whole answers in the order of their trials, and a checksum that a slip of the pen would break.
function answersFile(page, rater, answers, saved) {
  const names = Object.keys(answers).filter((trial) => whole(answers[trial])).sort();
  const pick = (side) => Object.fromEntries(SCALES.map((scale) => [scale, side[scale]]));
  const list = names.map((trial) => {
    const { left, right, preferred } = answers[trial];
    return { trial, left: pick(left), right: pick(right), preferred };
  });
  return { version: 1, page, rater, saved, answers: list, check: checksum([page, rater, ...list.map(lineOf)].join("\n")) };
}

function fileName(rater) {
  return `answers_${rater.trim().replace(/[^\p{L}\p{N}-]+/gu, "_")}.json`;
}

if (typeof module !== "undefined") module.exports = { checksum, orderFor, whole, answersFile, fileName };

// --- the page ---

function start(document, storage) {
  const find = (id) => document.getElementById(id);
  const { page, trials } = JSON.parse(find("trials").textContent);
  let rater = "", order = [], answers = {}, place = 0;

  const keep = () => {
    try { storage.setItem(`rating ${page} ${rater}`, JSON.stringify({ answers, place })); } catch { find("unkept").hidden = false; }
  };
  const kept = () => {
    try { return JSON.parse(storage.getItem(`rating ${page} ${rater}`)) || {}; } catch { return {}; }
  };
  const current = () => (answers[order[place].id] ??= { left: {}, right: {}, preferred: "" });
  const show = (id) => { for (const one of ["welcome", "trial", "end"]) find(one).hidden = one !== id; };

  function choice(group, value, label, chosen, set) {
    const field = document.createElement("label");
    const button = Object.assign(document.createElement("input"), { type: "radio", name: group, value, checked: chosen });
    button.addEventListener("change", () => { set(value); keep(); refresh(); });
    field.append(button, document.createTextNode(label));
    return field;
  }

  function draw() {
    const trial = order[place], answer = current();
    find("place").textContent = `Pair ${place + 1} of ${order.length}`;
    find("instruction").textContent = trial.instruction;
    find("asked").hidden = !trial.instruction;
    for (const side of ["left", "right"]) {
      const video = find(`${side}-video`);
      video.src = `clips/${trial[side]}`;
      find(`${side}-lost`).hidden = true;
      for (const scale of SCALES) {
        const marks = WORDS.map((word, n) => choice(`${side}-${scale}`, n + 1, `${n + 1} ${word}`, answer[side][scale] === n + 1, (mark) => {
          answer[side][scale] = mark;
        }));
        find(`${side}-${scale}`).replaceChildren(...marks);
      }
    }
    const names = { left: "the left one", none: "no preference", right: "the right one" };
    find("preferred").replaceChildren(...CHOICES.map((side) => choice("preferred", side, names[side], answer.preferred === side, (value) => {
      answer.preferred = value;
    })));
    refresh();
    show("trial");
    window.scrollTo(0, 0);
  }

  function refresh() {
    const done = order.filter((trial) => whole(answers[trial.id])).length;
    find("next").disabled = !whole(current());
    find("back").disabled = place === 0;
    find("progress").max = order.length;
    find("progress").value = done;
    find("done").textContent = `${done} of ${order.length} pairs rated`;
  }

  function save() {
    const content = answersFile(page, rater, answers, new Date().toISOString());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1) + "\n"], { type: "application/json" }));
    link.download = fileName(rater);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  find("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    rater = find("rater").value.trim();
    if (!rater) return;
    order = orderFor(trials, page, rater);
    ({ answers = {}, place = 0 } = kept());
    place = Math.min(Math.max(place, 0), order.length - 1);
    find("bar").hidden = false;
    draw();
  });
  find("next").addEventListener("click", () => {
    if (place + 1 < order.length) { place += 1; keep(); draw(); } else { show("end"); }
  });
  find("back").addEventListener("click", () => { place -= 1; keep(); draw(); });
  find("again").addEventListener("click", draw);
  for (const button of document.querySelectorAll(".save")) button.addEventListener("click", save);
  for (const side of ["left", "right"]) {
    const video = find(`${side}-video`), lost = find(`${side}-lost`);
    video.addEventListener("error", () => { lost.hidden = false; });
    // without a codec for its pictures a clip plays as sound alone
    video.addEventListener("loadedmetadata", () => { lost.hidden = video.videoWidth > 0; });
    video.addEventListener("play", () => { find(`${side === "left" ? "right" : "left"}-video`).pause(); });
  }
}

if (typeof document !== "undefined") start(document, window.localStorage);
