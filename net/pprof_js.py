"""page.js of /debug/pprof/: numbers once a second while somebody looks, charts of the last minute, flame graphs."""

# SPDX-License-Identifier: BSD-3-Clause

JS = b"""'use strict';
const find = id => document.getElementById(id), root = document.documentElement;
const POINTS = 60, series = {cpu: [], heap: [], net: [], tasks: []};
let before = null;

function size(n) {
  if (n < 1024) return Math.round(n) + ' B';
  for (const unit of ['KiB', 'MiB', 'GiB']) {
    n /= 1024;
    if (n < 1024 || unit === 'GiB') return n.toFixed(n < 100 ? 1 : 0) + ' ' + unit;
  }
}

function duration(s) {
  const two = n => String(Math.floor(n)).padStart(2, '0'), days = Math.floor(s / 86400);
  return (days ? days + 'd ' : '') + [s / 3600 % 24, s / 60 % 60, s % 60].map(two).join(':');
}

function chart(name, value, top) {
  const list = series[name], svg = document.querySelector('.' + name + ' svg');
  list.push(value);
  if (list.length > POINTS) list.shift();
  const high = Math.max(top, ...list) * 1.1 || 1, step = 240 / (POINTS - 1), from = 240 - (list.length - 1) * step;
  const line = list.map((v, i) => (from + i * step).toFixed(1) + ',' + (54 - 50 * v / high).toFixed(1)).join('L');
  svg.querySelector('.line').setAttribute('d', 'M' + line);
  svg.querySelector('.area').setAttribute('d', 'M' + from.toFixed(1) + ',56L' + line + 'L240,56Z');
}

function show(id, text, note) {
  find(id).textContent = text;
  if (note !== undefined) find(id + '-note').textContent = note;
}

function update(now) {
  show('uptime', duration(now.uptime_ms / 1000));
  show('heap', size(now.heap_used), 'of ' + size(now.heap_used + now.heap_free));
  show('tasks', now.tasks, 'of asyncio');
  for (const face of now.network) {
    for (const [name, count] of Object.entries(face.counters)) {
      const cell = document.querySelector(`[data-interface="${face.name}"] [data-counter="${name}"]`);
      if (cell) cell.textContent = count;
    }
  }
  if (before && now.uptime_ms > before.uptime_ms) {
    const ms = now.uptime_ms - before.uptime_ms, busy = Math.max(0, Math.min(100, 100 - 100 * (now.idle_ms - before.idle_ms) / ms));
    const received = (now.received - before.received) * 1000 / ms, sent = (now.sent - before.sent) * 1000 / ms;
    show('cpu', Math.round(busy) + ' %', 'busy in the last second');
    show('net', size(received + sent) + '/s', '\\u2193 ' + size(now.received) + '  \\u2191 ' + size(now.sent));
    chart('cpu', busy, 20);
    chart('net', received + sent, 1024);
    chart('heap', now.heap_used, 0);
    chart('tasks', now.tasks, 4);
  }
  before = now;
}

async function tick() {
  if (!document.hidden) {
    try {
      const answer = await fetch('/debug/vars', {signal: AbortSignal.timeout(5000)});
      update(await answer.json());
      root.className = 'live';
    } catch (e) {
      root.className = 'lost';
      before = null;
    }
  }
  setTimeout(tick, 1000);
}

// ---- flame graphs: folded stacks to a tree, a tree to rectangles

function parse(text) {
  const tree = {name: 'all', value: 0, children: new Map()};
  for (const line of text.split('\\n')) {
    const at = line.lastIndexOf(' '), count = Number(line.slice(at + 1));
    if (at < 0 || !count) continue;
    let node = tree;
    node.value += count;
    for (const name of line.slice(0, at).split(';').filter(Boolean)) {
      if (!node.children.has(name)) node.children.set(name, {name, value: 0, children: new Map()});
      node = node.children.get(name);
      node.value += count;
    }
  }
  return tree;
}

function colour(name) {
  let hash = 7;
  for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) % 9973;
  return name.includes('.') || name === 'all' ? `hsl(${28 + hash % 30} ${78 + hash % 12}% ${62 + hash % 10}%)` : `hsl(${172 + hash % 24} 45% ${62 + hash % 10}%)`;
}

function element(parent, name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

function draw(tree, chosen) {
  const svg = find('graph'), width = svg.clientWidth || 1000, ROW = 21;
  let depth = 0;
  svg.replaceChildren();
  const place = (node, x, wide, level) => {
    if (wide < 1) return;
    depth = Math.max(depth, level + 1);
    const g = element(svg, 'g', {}), share = (100 * node.value / tree.value).toFixed(1);
    element(g, 'rect', {x: x.toFixed(1), y: level * ROW + 8, width: Math.max(wide - .5, .5).toFixed(1), height: ROW - 1, rx: 3, fill: colour(node.name)});
    element(g, 'title', {}).textContent = `${node.name}\\n${node.value} samples, ${share} %`;
    const fits = Math.floor((wide - 8) / 7.2);
    if (fits > 2) element(g, 'text', {x: (x + 5).toFixed(1), y: level * ROW + 22}).textContent = node.name.length > fits ? node.name.slice(0, fits - 1) + '\\u2026' : node.name;
    g.addEventListener('click', () => draw(tree, node === chosen ? tree : node));
    let at = x;
    for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
      const part = wide * child.value / node.value;
      place(child, at, part, level + 1);
      at += part;
    }
  };
  place(chosen, 8, width - 16, 0);
  svg.setAttribute('height', depth * ROW + 16);
  svg.setAttribute('viewBox', `0 0 ${width} ${depth * ROW + 16}`);
  svg.classList.add('drawn');
}

async function record() {
  const button = find('record'), said = find('said');
  button.disabled = true;
  said.textContent = 'recording\\u2026';
  try {
    const answer = await fetch('profile?seconds=5&debug=1'), text = await answer.text();
    if (!answer.ok) throw new Error(text.trim());
    const tree = parse(text);
    said.textContent = tree.value ? `${tree.value} samples of work in 5 s; a click looks closer, another one back` : 'the processor did nothing in these 5 s';
    if (tree.value) draw(tree, tree);
  } catch (e) {
    said.textContent = e.message;
  }
  button.disabled = false;
}

find('flame').hidden = false;
find('record').addEventListener('click', record);
tick();
"""
