"use strict";
// The public form without its question: while somebody writes, the browser looks for a number with
// which the SHA-256 of the form's token begins with many zeros. Without scripts, or when this fails,
// the question in plain words stays. SubtleCrypto would need HTTPS and a promise for each digest.
(() => {
  const form = document.querySelector("form[data-work]");
  if (!form) return;
  const field = form.querySelector("input[name=work]");
  const question = form.querySelector("[data-question]");
  const status = form.querySelector("[data-working]");
  const bits = Number(form.dataset.bits);
  const prefix = new TextEncoder().encode(`${form.dataset.work}:`);

  const fraction = (root) => Math.floor((root - Math.floor(root)) * 4294967296) | 0;
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const W = new Int32Array(64);
  const turned = (x, by) => (x >>> by) | (x << (32 - by));

  const block = (H, view, at) => {
    for (let i = 0; i < 16; i++) W[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [x, y] = [W[i - 15], W[i - 2]];
      const s0 = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
      const s1 = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
      W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = H;
    for (let i = 0; i < 64; i++) {
      const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
  };
  const firstWord = (bytes) => {
    const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 128;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, bytes.length * 8);
    const H = Int32Array.from(START);
    for (let at = 0; at < padded.length; at += 64) block(H, view, at);
    return H[0] >>> 0;
  };
  const fits = (number) => {
    const digits = new TextEncoder().encode(String(number));
    const bytes = new Uint8Array(prefix.length + digits.length);
    bytes.set(prefix);
    bytes.set(digits, prefix.length);
    return firstWord(bytes) >>> (32 - bits) === 0;
  };

  let number = 0;
  const look = () => {
    // A little at a time, so that writing stays smooth.
    for (const until = number + 500; number < until; number++) {
      if (!fits(number)) continue;
      field.value = String(number);
      question.hidden = true;
      question.querySelector("input").required = false;
      status.textContent = status.dataset.done;
      return;
    }
    setTimeout(look, 0);
  };
  status.textContent = status.dataset.working;
  look();
})();
