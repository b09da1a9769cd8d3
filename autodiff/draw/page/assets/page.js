'use strict'; (() => {
const D = JSON.parse(document.getElementById('data').textContent), LANGUAGES = Object.keys(D.phrases), N = D.nodes, E = D.edges
const LABEL = 0, OPERATION = 1, VALUE = 2, ERROR = 3, SIGN = 4          // of a node
const CONSUMER = 0, INPUT = 1, LOCAL = 3, SYMBOL = 4, SHARE = 5, MADE = 6         // of an edge
const S = {parameter: D.parameter, step: 0, shown: true, said: '', unknown: '', language: D.language, theme: D.theme, digits: D.digits, predict: false}

// ---- words and numbers: nothing here makes markup of a text
const say = (key, fields = {}) => D.phrases[S.language][key].replace(/\{(\w+)\}/g, (_, name) => fields[name])
const minus = text => text.replace('-', '−')

// The exact decimal digits of |x|, rounded half to even, and its exponent: what Python's format does.
function rounded(x, digits) {
  let [all, exponent] = Math.abs(x).toExponential(99).split('e')
  all = all.replace('.', '')
  const rest = all.slice(digits).padEnd(1, '0'), half = '5'.padEnd(rest.length, '0')
  let kept = all.slice(0, digits)
  if (rest > half || (rest === half && kept.at(-1) % 2)) kept = String(BigInt(kept) + 1n)
  return kept.length > digits ? [kept.slice(0, -1), +exponent + 1] : [kept, +exponent]
}
function laidOut(negative, kept, exponent, most, point) {
  if (exponent < -4 || exponent >= most) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    kept = kept[0] + (kept.length > 1 ? '.' + kept.slice(1) : '') + 'e' + (exponent < 0 ? '−' : '+') + size
  } else if (exponent < 0) kept = '0.' + '0'.repeat(-exponent - 1) + kept
  else if (kept.length > exponent + 1) kept = kept.slice(0, exponent + 1) + '.' + kept.slice(exponent + 1)
  else kept = kept.padEnd(exponent + 1, '0') + point
  return (negative ? '−' : '') + kept
}
function number(x, digits = S.digits) {
  if (x === null) return '–'
  if (typeof x === 'string') return minus(x)
  if (digits === 'all') {
    const [all, exponent] = Math.abs(x).toExponential().split('e')
    return laidOut(x < 0 || Object.is(x, -0), all.replace('.', ''), +exponent, 16, '.0')
  }
  const [kept, exponent] = rounded(x, digits)
  return laidOut(x < 0, kept.replace(/0+$/, '') || '0', exponent, digits, '')
}
const single = v => v !== null && typeof v === 'object' && v.data.length === 1 ? v.data[0] : v
function amount(v) {
  v = single(v)
  if (v === null || typeof v !== 'object') return number(v)
  return say('term.norm', {shape: v.shape.join('×'), norm: number(v.norm)})
}
const size = v => (v = single(v), v = v && typeof v === 'object' ? v.norm : v, Math.abs(v === null || v === 'nan' ? 0 : typeof v === 'string' ? 1e308 : v))
const sign = v => (v = single(v), v === null ? 0 : typeof v === 'object' ? +(v.norm !== 0) : typeof v === 'string' ? (v[0] === '-' ? -1 : 1) : Math.sign(v))
const hue = v => ['negative', 'zero', 'error'][sign(v) + 1]
const told = k => (D.texts[k][LANGUAGES.indexOf(S.language)] ?? D.texts[k][0]).map(k => D.pieces[k]).map(piece => typeof piece === 'number' ? number(piece) : ltr(piece)).join('')
const leftward = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+/g, ltr = text => text.replace(leftward, '$&\u200e')   // a name keeps its numbers behind it
const brief = (text, most = 22) => { const all = Array.from(text); return ltr(all.length > most ? all.slice(0, most - 1).join('') + '…' : text) }
const badge = n => n <= 20 ? String.fromCharCode(0x245F + n) : `(${n})`
const product = text => /^−| [+−] /.test(text) ? `(${text})` : text
const equation = edge => '× ' + (edge[SYMBOL] === 0 ? product(number(edge[LOCAL])) : edge[LOCAL] === null ? product(brief(edge[SYMBOL])) : `${product(brief(edge[SYMBOL]))} = ${number(edge[LOCAL])}`)

// ---- elements
function element(space, tag, attributes, children) {
  const made = document.createElementNS(space, tag)
  for (const [name, value] of Object.entries(attributes)) typeof value === 'function' ? made[name] = value : value !== undefined && value !== false && made.setAttribute(name, value)
  made.append(...children)
  return made
}
const h = (tag, attributes = {}, ...children) => element('http://www.w3.org/1999/xhtml', tag, attributes, children)
const s = (tag, attributes = {}, ...children) => element('http://www.w3.org/2000/svg', tag, attributes, children)

// ---- the flow that is shown
let flow
function choose(parameter) {
  const [own, formula, kept, count, remarks] = D.flows[parameter], usual = `∂${brief(N[D.output][LABEL], 60)}/∂${brief(N[parameter][LABEL], 60)}`
  const way = new Set([parameter, ...kept.flatMap(([, nodes, edges]) => [...nodes, ...edges.map(e => E[e][INPUT])])])
  for (let grown = 0; grown < way.size;) { grown = way.size; for (const e of E) if (way.has(e[INPUT])) way.add(e[CONSUMER]) }
  const steps = kept.map((step, k) => [k < kept.length / 2 ? k + 1 : count - kept.length + k + 1, ...step]), none = !count, nodeStep = new Map(), edgeStep = new Map()
  steps.forEach(([, , nodes, edges], k) => { nodes.forEach(n => nodeStep.set(n, k + 1)); edges.forEach(e => edgeStep.set(e, k + 1)) })
  if (none) way.clear()
  const edges = E.map((_, k) => k).filter(k => way.has(E[k][INPUT]) && way.has(E[k][CONSUMER]))
  flow = {parameter, way, edges, nodeStep, edgeStep, get derivative() { return own === null ? usual : told(own) }, formula, steps, remarks, largest: Math.max(...edges.map(k => Math.min(size(E[k][SHARE]), 1e300)), 0)}
}
const known = step => step === undefined ? S.step === flow.steps.length && !asking() : step < S.step || (step === S.step && !asking())
const carried = k => known(flow.edgeStep.get(k)) && (!S.predict || known(flow.nodeStep.get(E[k][INPUT])))
const asking = () => S.predict && !S.shown && question() !== null
function question() {
  const step = flow.steps[S.step - 1]
  if (!step || S.step === 1) return null
  const nodes = step[2].filter(n => typeof single(N[n][ERROR]) === 'number').sort((a, b) => size(N[b][ERROR]) - size(N[a][ERROR]))
  if (nodes.length) return [errorName(nodes[0]), single(N[nodes[0]][ERROR])]
  const edge = step[3].map(k => E[k]).find(e => e[SYMBOL] !== 0 && !labels.has(e[SYMBOL]) && typeof e[LOCAL] === 'number')
  return edge ? [edge[SYMBOL], edge[LOCAL]] : null
}
const labels = new Set(N.map(node => node[LABEL]))       // their values are there to be read
const errorName = n => n === flow.parameter ? flow.derivative : N[n][SIGN] || say('term.error-at', {node: brief(N[n][LABEL], 60)})

// ---- the state, and its link
const plain = name => name.normalize('NFKC').replace(/[\s_{}^$\\]/g, '').toLowerCase()
const targets = new Map(Object.keys(D.flows).reverse().map(k => [plain(N[k][LABEL]), +k]))
function found(name) {                                  // the flow to that name, if it is told; else what there is to say
  const place = targets.get(plain(name))
  S.unknown = place === undefined ? name.trim() : ''
  return place
}
function fromLink() {
  const asked = new URLSearchParams(location.hash.slice(1))
  S.parameter = found(asked.get('parameter') ?? '') ?? S.parameter
  choose(S.parameter)
  const at = flow.steps.findIndex(step => step[0] === +asked.get('step'))
  if (asked.has('step')) S.step = +asked.get('step') ? at + 1 : 0
  else S.step = S.theme === 'print' ? flow.steps.length : 0
  ask()
}
function link() {
  const step = flow.steps[S.step - 1]
  const asked = new URLSearchParams(S.parameter === D.parameter ? {} : {parameter: N[S.parameter][LABEL].normalize('NFKC')})
  asked.set('step', step ? step[0] : 0)
  try { history.replaceState(null, '', '#' + asked) } catch {}   // a page inside another one has no link of its own
}
function ask() { S.shown = !S.predict; S.said = guess.value = '' }
function go(step) { S.step = step; ask(); link(); draw() }
function move(to) {                                     // at an end it stays, and asks nothing again
  to = Math.max(0, Math.min(flow.steps.length, to))
  if (to !== S.step) go(to)
}
function select(parameter) {
  S.parameter = parameter
  S.unknown = ''
  choose(parameter)
  go(0)
}

// ---- the picture: where things stand
const CELL = 84, FORWARD = 46, BACK = 44, STRIP = 20, CHIP = 22
const bias = new Map(D.biases.map(([b, consumer]) => [consumer, b]))
const weight = new Map(D.wires.map(([w, input, consumer]) => [input + '>' + consumer, w]))
const edgeAt = new Map(E.map((e, k) => [e[CONSUMER] + '>' + e[INPUT], k]))
const boxOf = new Map()
const columns = D.columns.map((column, c) => column.map(nodes => { const box = {nodes, c}; nodes.forEach(n => boxOf.set(n, box)); return box }))
D.more.forEach((count, c) => count && columns[c].splice(-1, 0, {nodes: [], c, more: count}))
const joins = new Map()                                // one line for all edges between two nodes
for (const [k, e] of E.entries()) {
  const head = boxOf.get(e[CONSUMER]), tail = boxOf.get(e[INPUT])
  if (!head || !tail || head === tail) continue
  const key = e[INPUT] + '>' + e[CONSUMER]
  if (!joins.has(key)) joins.set(key, {key, head, tail, edges: [], weight: weight.get(key), via: []})
  joins.get(key).edges.push(k)
}
for (const join of joins.values()) {                   // a line past a column has a place of its own there
  const [near, far] = [join.head, join.tail].map(box => (columns[box.c].indexOf(box) + 0.5) / columns[box.c].length)
  for (let c = join.head.c + 1; c < join.tail.c; c++) {
    const part = (c - join.head.c) / (join.tail.c - join.head.c), at = near + (far - near) * part
    join.via.push({c, nodes: [], via: true, at})
  }
}
for (const [c, column] of columns.entries()) {
  const passing = [...joins.values()].flatMap(join => join.via.filter(via => via.c === c))
  column.forEach((box, k) => box.at = (k + 0.5) / column.length)
  column.push(...passing)
  column.sort((a, b) => a.at - b.at)
}
const texts = n => [brief(N[n][LABEL]), amount(N[n][VALUE]), ...flow.way.has(n) ? [amount(N[n][ERROR]), errorLabel(n)] : []]
const errorLabel = n => `${badgeOf(flow.nodeStep.get(n))}${brief(n === flow.parameter ? flow.derivative : N[n][SIGN] || say('term.error'))}`
const badgeOf = step => step === undefined ? '' : badge(flow.steps[step - 1][0]) + ' '
const ruler = document.createElement('canvas').getContext('2d'), widths = new Map()
const SMALL = 12                                       // px of the smallest text; what no font has is a box that does not shrink with it
ruler.font = `bold ${SMALL}px ${getComputedStyle(document.body).fontFamily}`
function em(text) {                                    // how wide it is in bold, in the fonts that this reader has
  if (!widths.has(text)) widths.set(text, ruler.measureText(text).width / SMALL)
  return widths.get(text)
}

function place(upright) {
  const across = upright ? 'w' : 'h', along = upright ? 'h' : 'w'
  for (const column of columns) for (const box of column) {
    box.on = box.nodes.some(n => flow.way.has(n))
    box.chips = box.nodes.filter(n => bias.has(n)).map(n => bias.get(n))
    box.inside = box.nodes.length === 2 && flow.way.has(box.nodes[0]) && flow.way.has(box.nodes[1]) ? edgeAt.get(box.nodes[1] + '>' + box.nodes[0]) : undefined
    if (box.via) { box.w = box.h = 10; continue }
    const wide = Math.max(CELL, ...box.nodes.flatMap(texts).map(text => em(text) * 14 + 14))
    const strip = box.inside === undefined ? 0 : em(insideText(box)) * SMALL + 12
    const chip = Math.max(0, ...box.chips.map(b => SMALL * em(chipText(b)) + 14 + (b === flow.parameter ? em(amount(N[b][ERROR])) * SMALL + 14 : 0)))
    box.w = box.more ? 70 : Math.max(wide * box.nodes.length, strip, chip)
    box.h = box.more ? 30 : FORWARD + (box.on ? BACK : 0) + (box.inside === undefined ? 0 : STRIP) + CHIP * box.chips.length
  }
  const gap = upright ? 12 : 20, thick = columns.map(column => Math.max(...column.map(box => box[along])))
  const extents = columns.map(column => column.reduce((sum, box) => sum + box[across] + gap, -gap))
  const room = Math.max(...extents), wire = upright ? 78 : Math.max(150, 24 + Math.max(0, ...[...joins.values()].filter(shared).map(join => em(shareText(join)) * SMALL)), S.digits === 'all' || S.digits > 8 ? 230 : 0)
  let start = 12
  for (let c = columns.length - 1; c >= 0; c--) {
    let at = 12 + (room - extents[c]) / 2
    for (const box of columns[c]) {
      const middle = start + (thick[c] - box[along]) / 2
      Object.assign(box, upright ? {x: at, y: middle} : {x: middle, y: at})
      at += box[across] + gap
    }
    start += thick[c] + wire
  }
  return upright ? [room + 24, start - wire + 12] : [start - wire + 12, room + 24]
}
const port = (box, upright, out) => upright ? [box.x + box.w / 2, box.y + (out ? box.h : 0)] : [box.x + (out ? box.w : 0), box.y + box.h / 2]
function route(join, upright) {                        // as the signal runs: from the input to the consumer
  return [port(join.tail, upright, true), ...[...join.via].reverse().map(via => [via.x + via.w / 2, via.y + via.h / 2]), port(join.head, upright, false)]
}
const along = (points, t) => {
  const lengths = points.slice(1).map((p, k) => Math.hypot(p[0] - points[k][0], p[1] - points[k][1]))
  let left = t * lengths.reduce((a, b) => a + b, 0)
  for (const [k, length] of lengths.entries()) { if (left <= length || k === lengths.length - 1) { const part = length ? left / length : 0, [a, b] = [points[k], points[k + 1]]; return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part] } left -= length }
}

// ---- the picture: what is drawn
const shared = join => join.edges.some(k => flow.edges.includes(k))
const shareText = join => join.edges.filter(k => flow.edges.includes(k)).map(k => badgeOf(flow.edgeStep.get(k)) + amount(E[k][SHARE])).join(' + ')
const insideText = box => badgeOf(flow.edgeStep.get(box.inside)) + equation(E[box.inside])
const chipText = b => `${brief(N[b][LABEL])} = ${amount(N[b][VALUE])}`
const path = points => 'M' + points.map(point => point.map(x => Math.round(x * 10) / 10).join(' ')).join('L')
const write = (x, y, text, kind, anchor = 'middle') => s('text', {x, y, class: kind, 'text-anchor': anchor}, text)
function about(n) {
  const [label, operation, value, error] = N[n], full = v => typeof single(v) === 'object' ? amount(v) : number(single(v), 'all')
  const name = brief(label, 60) + (operation ? ` = ${operation}(…)` : '')
  const seen = flow.way.has(n) ? known(flow.nodeStep.get(n)) : !S.predict || known()
  return `${name}: ${full(value)}; ${errorName(n)}: ${seen ? full(error) : S.predict ? say('page.hidden') : say('term.not-yet')}`
}
let clicked = {}                                         // what a redrawing puts under a mouse that rests is not pointed at
function button(n, key, label, ...children) {
  const show = () => info.textContent = about(n), enter = event => event.clientX === clicked.clientX && event.clientY === clicked.clientY || show()
  const told = n in D.flows ? {class: 'pick', role: 'button', tabindex: 0, 'aria-current': n === flow.parameter ? 'true' : undefined, onclick: event => { clicked = event; select(n) }} : {role: 'img'}
  return s('g', {...told, 'data-key': key, 'data-node': n, 'aria-label': label, onfocus: show, onmouseenter: enter}, ...children)
}
function cell(box, n, k) {
  const w = box.w / box.nodes.length, x = box.x + k * w, top = box.y + CHIP * box.chips.length, on = flow.way.has(n), back = on && known(flow.nodeStep.get(n))
  const lane = n === flow.parameter ? 'parameter' : on ? 'forward' : 'rest', kind = hue(N[n][ERROR])
  const parts = [s('rect', {x, y: top, width: w, height: FORWARD, class: 'fill ' + lane}), write(x + w / 2, top + 19, brief(N[n][LABEL]), 'name ' + (on ? '' : 'muted')), write(x + w / 2, top + 38, amount(N[n][VALUE]), 'value ' + lane)]
  if (on) parts.push(s('rect', {x, y: top + FORWARD, width: w, height: BACK, class: 'fill ' + (back ? kind : 'later')}), write(x + w / 2, top + FORWARD + 17, errorLabel(n), 'error-name ' + (back ? kind : 'muted')), write(x + w / 2, top + FORWARD + 36, back ? amount(N[n][ERROR]) : '…', 'number ' + (back ? kind : 'muted')))
  return button(n, 'n' + n, about(n), ...parts)
}
function boxed(box) {
  if (box.more) return s('g', {}, s('rect', {x: box.x, y: box.y, width: box.w, height: box.h, rx: 8, class: 'box more'}), write(box.x + box.w / 2, box.y + 20, `+ ${box.more}`, 'muted'), s('title', {}, say('term.more-nodes', {count: box.more})))
  const parts = box.chips.map((b, k) => chip(box, b, box.y + k * CHIP))
  parts.push(...box.nodes.map((n, k) => cell(box, n, k)))
  if (box.inside !== undefined) {
    const seen = known(flow.edgeStep.get(box.inside)), y = box.y + box.h - STRIP
    parts.push(s('rect', {x: box.x, y, width: box.w, height: STRIP, class: 'fill ' + (seen ? 'strip' : 'later')}), write(box.x + box.w / 2, y + 14, seen ? insideText(box) : badgeOf(flow.edgeStep.get(box.inside)) + '× …', 'small ' + (seen ? 'error' : 'muted')))
  }
  const kind = box.nodes.includes(flow.parameter) ? 'parameter' : box.on ? '' : 'rest'
  parts.push(s('rect', {x: box.x, y: box.y, width: box.w, height: box.h, rx: 9, class: 'box ' + kind}))
  const clip = 'c' + box.nodes[0]
  return [s('clipPath', {id: clip}, s('rect', {x: box.x, y: box.y, width: box.w, height: box.h, rx: 9})), s('g', {'clip-path': `url(#${clip})`}, ...parts)]
}
function chip(box, b, y) {
  const on = b === flow.parameter, back = on && known(flow.nodeStep.get(b)), left = on ? box.w / 2 : box.w, kind = hue(N[b][ERROR])
  const parts = [s('rect', {x: box.x, y, width: left, height: CHIP, class: 'fill ' + (on ? 'parameter' : 'rest')}), write(box.x + left / 2, y + 15, chipText(b), 'small ' + (on ? 'parameter' : 'muted'))]
  if (on) parts.push(s('rect', {x: box.x + left, y, width: box.w - left, height: CHIP, class: 'fill ' + (back ? kind : 'later')}), write(box.x + left * 1.5, y + 15, back ? amount(N[b][ERROR]) : '…', 'small number ' + (back ? kind : 'muted')))
  return button(b, 'n' + b + '-' + box.nodes[0], about(b), ...parts)
}
function wires(upright) {
  const lines = [], labels = [], taken = columns.flat().filter(box => !box.via).map(box => [box.x, box.y, box.w, box.h])
  const free = (x, y, w, height) => taken.every(r => x + w < r[0] || r[0] + r[2] < x || y + height < r[1] || r[1] + r[3] < y)
  const labelled = (points, w, height, make, must) => {
    for (const t of [.5, .42, .58, .34, .66, .26, .74, .2, .8, .14, .86]) {
      const [x, y] = along(points, t)
      if (free(x - w / 2, y - height / 2, w, height)) { taken.push([x - w / 2, y - height / 2, w, height]); labels.push(make(x, y)); return }
    }
    if (must) labels.push(make(...along(points, .5)))
  }
  const sorted = [...joins.values()].sort((a, b) => rank(a) - rank(b))
  for (const join of sorted) {
    const points = route(join, upright), chosen = join.weight !== undefined && join.weight === flow.parameter, on = shared(join)
    const edge = on ? join.edges.find(k => flow.edges.includes(k)) : undefined, seen = on && carried(edge)
    const share = on ? E[edge][SHARE] : null, kind = chosen ? 'parameter' : seen ? hue(share) : on ? 'forward' : 'rest'
    const line = s('path', {d: path(seen ? [...points].reverse() : points), class: 'wire ' + kind, 'marker-end': seen ? `url(#${kind})` : undefined})
    if (seen) line.setAttribute('stroke-width', 1 + 2.2 * Math.min(1, size(share) / (flow.largest || 1)))
    const target = join.weight
    if (target !== undefined && target in D.flows) lines.push(button(target, 'w' + join.key, about(target), line, s('path', {d: path(points), class: 'hit'})))
    else lines.push(line)
  }
  for (const join of [...sorted].reverse()) {
    const points = route(join, upright), edge = flow.edges.find(k => join.edges.includes(k))
    if (join.weight !== undefined && join.weight === flow.parameter) labelled(points, chipWidth(join), 46, (x, y) => weightChip(join, x, y), true)
    else if (edge !== undefined && carried(edge)) {
      const text = shareText(join), w = em(text) * SMALL + 12
      labelled(points, w, 20, (x, y) => s('g', {class: 'pill'}, s('rect', {x: x - w / 2, y: y - 10, width: w, height: 20, rx: 6, class: 'paper'}), write(x, y + 4, text, 'small number ' + hue(E[edge][SHARE]))))
    }
  }
  return [lines, labels]
}
const rank = join => (shared(join) ? 1 : 0) + (join.weight !== undefined && join.weight === flow.parameter ? 2 : 0)
const shareOn = join => E[edgeAt.get(+join.key.split('>')[1] + '>' + join.weight)]
const chipWidth = join => Math.max(em(chipText(join.weight)), em(amount(shareOn(join)[SHARE])) + 3) * SMALL + 14
function weightChip(join, x, y) {
  const edge = shareOn(join), seen = carried(E.indexOf(edge)), kind = hue(edge[SHARE]), w = chipWidth(join), left = x - w / 2, top = y - 23, last = E.filter(e => e[INPUT] === join.weight).length === 1
  return button(join.weight, 'c' + join.key, about(join.weight), s('rect', {x: left, y: top, width: w, height: 23, class: 'fill parameter'}), write(x, top + 16, chipText(join.weight), 'small parameter'),
    s('rect', {x: left, y, width: w, height: 23, class: 'fill ' + (seen ? kind : 'later')}), write(x, y + 16, seen ? badgeOf(last && known(flow.steps.length) ? flow.steps.length : flow.edgeStep.get(E.indexOf(edge))) + amount(edge[SHARE]) : '…', 'small number ' + (seen ? kind : 'muted')),
    s('rect', {x: left, y: top, width: w, height: 46, rx: 7, class: 'box parameter'}))
}
function picture() {
  const wide = figure.clientWidth || 960
  let upright = false, [w, height] = place(false)
  if (wide < 700 && w > wide) { upright = true; [w, height] = place(true) }
  const [lines, labels] = wires(upright), ends = ['error', 'negative', 'zero', 'forward'].map(kind => s('marker', {id: kind, viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 10, markerHeight: 10, markerUnits: 'userSpaceOnUse', orient: 'auto'}, s('path', {d: 'M0 0L10 5L0 10z', class: 'head ' + kind})))
  return s('svg', {viewBox: `0 0 ${Math.ceil(w)} ${Math.ceil(height)}`, width: Math.ceil(Math.min(w * 1.25, Math.max(wide - 4, w / 1.3))), role: 'group', 'aria-label': say('page.network')}, s('defs', {}, ...ends), ...lines, ...columns.flat().filter(box => !box.via).flatMap(boxed), ...labels)
}

// ---- the page
const title = h('h1', {'aria-live': 'polite'}), formula = h('p', {id: 'formula'}), caption = h('p', {id: 'caption', 'aria-live': 'polite', 'aria-atomic': 'true'}), counter = h('span', {id: 'counter'}), figure = h('figure', {id: 'figure'}), info = h('p', {id: 'info'}), hint = h('p', {class: 'hint'}), legend = h('p', {id: 'legend'}), remarks = h('ul', {id: 'remarks'}), table = h('table', {id: 'shares'}), unknown = h('span', {id: 'unknown', role: 'status'}), steps = h('ol', {id: 'steps'}), folded = h('p', {id: 'folded', class: 'hint'})
const moves = {first: ['Home', () => 0], previous: ['ArrowLeft', () => S.step - 1], next: ['ArrowRight', () => S.step + 1], last: ['End', () => flow.steps.length]}
const byKey = Object.fromEntries(Object.values(moves))
const buttons = Object.fromEntries(Object.entries(moves).map(([name, [key, to]]) => [name, h('button', {type: 'button', id: name, 'aria-keyshortcuts': key, onclick: () => move(to())})]))
const guess = h('input', {id: 'guess', inputmode: 'decimal', autocomplete: 'off', size: 10}), asked = h('label', {for: 'guess'}), answer = h('button', {id: 'answer'}), reveal = h('button', {type: 'button', id: 'reveal', onclick: () => show('')})
const quiz = h('form', {id: 'quiz', hidden: '', onsubmit: () => { check(); return false }}, asked, guess, answer, reveal)
const field = (id, control) => { control.id = id; return h('label', {for: id}, h('span', {id: id + '-word'}), control) }
const picker = h('select', {onchange: () => select(+picker.value)}), find = h('input', {list: 'names', type: 'search', autocomplete: 'off', 'aria-describedby': 'unknown', onchange: () => search(), onkeydown: event => { if (event.key === 'Enter') search() }, oninput: () => { S.unknown = ''; words() }}), names = h('datalist', {id: 'names'})
const predict = h('input', {type: 'checkbox', onchange: () => { S.predict = predict.checked; go(S.predict ? 0 : S.step) }})
const language = h('select', {onchange: () => { S.language = language.value; draw() }}, ...LANGUAGES.map(each => h('option', {value: each, lang: each}, {en: 'English', zh: '中文'}[each] ?? each)))
const theme = h('select', {onchange: () => { S.theme = theme.value; draw() }}, ...['auto', 'light', 'dark'].map(value => h('option', {value})))
const choices = [...new Set([2, 3, 4, 6, 8, 10, 12, 17, D.digits])].sort((a, b) => a - b)
const digits = h('select', {onchange: () => { S.digits = digits.value === 'all' ? 'all' : +digits.value; draw() }}, ...[...choices, 'all'].map(value => h('option', {value}, String(value))))
function check() {
  const right = question()[1], given = Number(guess.value.normalize('NFKC').replace(/[−–]/g, '-').replace(',', '.').trim() || 'none')
  if (Number.isFinite(given)) show(Math.abs(given - right) <= 0.005 * Math.abs(right) + 1e-12 ? 'page.right' : 'page.wrong')
  else { S.said = 'page.no-number'; draw(); guess.focus() }
}
function show(said) { S.shown = true; S.said = said; draw(); buttons.next.focus() }
function search() {
  const place = found(find.value)
  if (place === undefined) { words(); unknown.scrollIntoView({block: 'nearest'}); return }
  find.value = ''
  select(place)
}
const put = (element, text) => { if (element.textContent !== text) element.textContent = text }   // what is announced is announced once
function words() {
  document.documentElement.lang = S.language
  document.documentElement.dataset.theme = S.theme
  for (const [name, control] of Object.entries(buttons)) control.textContent = {first: say('page.first'), previous: say('page.previous'), next: say('page.next'), last: say('page.last')}[name]
  const titles = {picker: say('page.choose'), find: say('page.find'), predict: say('page.predict'), language: say('page.language'), theme: say('page.theme'), digits: say('page.digits')}
  for (const [id, word] of Object.entries(titles)) document.getElementById(id + '-word').textContent = word
  ;[say('page.theme-auto'), say('page.theme-light'), say('page.theme-dark')].forEach((word, k) => theme.options[k].textContent = word)
  digits.options[digits.options.length - 1].textContent = say('page.all-digits')
  answer.textContent = say('page.check')
  reveal.textContent = say('page.reveal')
  hint.textContent = say('page.choose-hint') + ' ' + say('page.keys')
  legend.replaceChildren(...[['forward', say('legend.forward')], ['error', say('legend.error')], ['negative', say('legend.negative')], ['parameter', say('legend.parameter')], ['muted', say('legend.rest')]].map(([kind, word]) => h('span', {class: kind}, word)))
  const untold = N.length - Object.keys(D.flows).length
  folded.textContent = [D.folded && say('page.folded', {count: D.folded}), untold && say('page.untold', {count: untold})].filter(Boolean).join(' ')
  const untoldName = N.some(node => plain(node[LABEL]) === plain(S.unknown))
  put(unknown, S.unknown && say(untoldName ? 'page.unfollowed' : 'page.unknown', {name: brief(S.unknown)}))
  find.setAttribute('aria-invalid', S.unknown !== '' && find.value !== '')
  picker.value = S.parameter; language.value = S.language; theme.value = S.theme === 'print' ? 'light' : S.theme; digits.value = S.digits; predict.checked = S.predict
}
function shares() {
  const head = [say('page.column-step'), say('page.column-from'), say('term.error'), say('term.local-gradient'), say('page.column-to'), say('term.share')]
  const rows = flow.edges.slice(0, 200).map(k => {
    const e = E[k], step = flow.edgeStep.get(k), seen = known(step), local = e[SYMBOL] === 0 ? number(e[LOCAL]) : e[LOCAL] === null ? brief(e[SYMBOL]) : `${brief(e[SYMBOL])} = ${number(e[LOCAL])}`
    const cells = [badgeOf(step), brief(N[e[CONSUMER]][LABEL]), seen ? amount(N[e[CONSUMER]][ERROR]) : '…', seen ? local : '…', brief(N[e[INPUT]][LABEL]), carried(k) ? (e[MADE] ? brief(e[MADE]) + ' = ' : '') + amount(e[SHARE]) : '…']
    return h('tr', {'data-edge': k, class: step === S.step ? 'now' : ''}, ...cells.map((text, c) => h('td', {class: c === 5 && carried(k) ? 'number ' + hue(e[SHARE]) : ''}, h('bdi', {dir: 'ltr'}, text))))
  })
  if (flow.edges.length > 200) rows.push(h('tr', {}, h('td', {colspan: 6}, say('text.more', {count: flow.edges.length - 200}))))
  table.replaceChildren(h('caption', {}, say('page.table', {parameter: brief(N[flow.parameter][LABEL])})), h('thead', {}, h('tr', {}, ...head.map(word => h('th', {scope: 'col'}, word)))), h('tbody', {}, ...rows))
  table.hidden = !rows.length
  table.tabIndex = table.scrollWidth > table.clientWidth ? 0 : -1
}
function follow(step) {                                 // a picture wider than the page shows what the step is about
  const node = step && (step[2][0] ?? E[step[3][0]]?.[INPUT]), view = figure.getBoundingClientRect()
  const place = figure.querySelector(`[data-node="${node}"]`)?.getBoundingClientRect()
  if (place && (place.left < view.left || place.right > view.right)) figure.scrollLeft += (place.left + place.right - view.left - view.right) / 2
}
function draw() {
  const focused = document.activeElement?.dataset?.key, count = flow.steps.length, step = flow.steps[S.step - 1], hide = asking()
  words()
  put(title, say(flow.steps.length ? 'title.flow' : 'title.empty', {parameter: brief(N[flow.parameter][LABEL])}))
  document.title = title.textContent
  const whole = S.step === count && !hide
  const parts = flow.formula.map(told).filter((_, k) => k === 0 || whole)
  if (whole && count) parts.push(amount(N[flow.parameter][ERROR]))
  formula.replaceChildren(h('bdi', {dir: 'ltr'}, flow.derivative), ...parts.flatMap((part, k) => [' = ', h(k === parts.length - 1 && whole && count ? 'b' : 'span', {}, part)]))
  counter.textContent = count ? say('page.step', {number: step ? step[0] : 0, count: flow.steps[count - 1][0]}) : ''
  const [quantity, right] = step && question() || [], said = S.said && say(S.said, {quantity, number: number(right)}) + '\n'
  put(caption, step ? `${said}${badge(step[0])} ${hide ? say('page.question', {quantity}) : told(step[1])}` : count ? say('page.forward') : told(flow.remarks[0]))
  quiz.hidden = !hide
  asked.textContent = hide ? say('page.your-answer') : ''
  for (const name of ['first', 'previous']) buttons[name].setAttribute('aria-disabled', S.step === 0)    // no focus is lost, as it is when disabled
  for (const name of ['next', 'last']) buttons[name].setAttribute('aria-disabled', S.step === count)
  const left = figure.scrollLeft
  figure.replaceChildren(picture())
  figure.scrollLeft = left
  follow(step)
  info.textContent = about(flow.parameter)
  shares()
  remarks.replaceChildren(...(whole && count ? flow.remarks.map(k => h('li', {}, told(k))) : []))
  steps.replaceChildren(...flow.steps.flatMap(([n, text], k) => {
    const hidden = known(k + 1) ? undefined : '', left = n - 1 - (flow.steps[k - 1]?.[0] ?? 0), item = h('li', {class: k + 1 === S.step ? 'now' : '', hidden}, badge(n) + ' ' + told(text))
    return left ? [h('li', {hidden}, say('text.more', {count: left})), item] : [item]
  }))
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({preventScroll: true})
}

// ---- the beginning
document.querySelector('main').append(
  h('header', {}, title, formula), h('nav', {}, ...Object.values(buttons), counter, field('language', language)), caption, quiz, figure, info, legend, remarks, table, steps,
  h('div', {id: 'options'}, field('picker', picker), h('div', {id: 'named'}, field('find', find), unknown), field('predict', predict), field('theme', theme), field('digits', digits)), names, hint, folded)
for (const k of Object.keys(D.flows)) { picker.append(h('option', {value: k}, brief(N[k][LABEL]))); names.append(h('option', {value: N[k][LABEL]})) }
document.addEventListener('keydown', event => {
  const at = event.target, pick = at.closest?.('.pick'), written = at.closest?.('input:not([type=checkbox])')
  if (event.ctrlKey || event.altKey || event.metaKey) return
  if (pick && (event.key === 'Enter' || event.key === ' ')) { event.preventDefault(); select(+pick.dataset.node); return }
  if (asking() && !written && at.tagName !== 'SELECT' && /^[\d.,+−-]$/.test(event.key)) { guess.focus(); return }   // the key goes there
  if (event.shiftKey || !(event.key in byKey) || written?.value || at === table || isOpen(at)) return                // who needs the key itself
  event.preventDefault()
  move(byKey[event.key]())
})
const isOpen = list => CSS.supports('selector(:open)') && list.matches?.('select:open')
window.addEventListener('hashchange', () => { fromLink(); draw() })
let width = 0
window.addEventListener('resize', () => { if (figure.clientWidth !== width) { width = figure.clientWidth; draw() } })
let before = null
window.addEventListener('beforeprint', () => { if (!S.predict) { before = S.step; S.step = flow.steps.length; draw() } })
window.addEventListener('afterprint', () => { if (before !== null) { S.step = before; before = null; draw() } })
fromLink()
draw()
document.documentElement.dataset.ready = ''
globalThis.autodiff = {number}
})()
