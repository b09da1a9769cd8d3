// The picture: wires, then boxes, then the labels of wires.

function picture() {
  const wide = figure.clientWidth || 960
  let upright = false
  let [w, h] = arrange(upright)
  if (wide < 700 && w > wide) {
    upright = true
    ;[w, h] = arrange(upright)
  }
  const whole = {
    viewBox: `0 0 ${Math.ceil(w)} ${Math.ceil(h)}`,
    width: Math.ceil(Math.min(w * 1.25, Math.max(wide - 4, w / 1.3))),
    role: 'group',
    'aria-label': say('page.network'),
  }
  const boxes = columns.flat().filter(box => !box.via)
  const drawn = [...joins].sort((a, b) => rank(a) - rank(b)).map(join => [join, route(join, upright)])
  const lines = drawn.map(([join, points]) => wire(join, points))
  const taken = [...boxes]
  const wireLabels = drawn.reverse().flatMap(([join, points]) => wireLabel(join, points, taken))
  return svg('svg', whole, svg('defs', {}, ...heads()), ...lines, ...boxes.flatMap(boxed), ...wireLabels)
}

// The arrowheads of wires that carry a share.
function heads() {
  const shape = {
    viewBox: '0 0 10 10',
    refX: 9,
    refY: 5,
    markerWidth: 10,
    markerHeight: 10,
    markerUnits: 'userSpaceOnUse',
    orient: 'auto',
  }
  return ['error', 'negative', 'zero', 'forward'].map(id =>
    svg('marker', {id, ...shape}, svg('path', {d: 'M0 0L10 5L0 10z', class: 'head ' + id})),
  )
}

// A picture wider than the page scrolls to the parts of the step.
function follow(step) {
  const n = step && (step.nodes[0] ?? EDGES[step.edges[0]]?.input)
  const view = figure.getBoundingClientRect()
  const box = figure.querySelector(`[data-node="${n}"]`)?.getBoundingClientRect()
  if (box && (box.left < view.left || box.right > view.right)) {
    figure.scrollLeft += (box.left + box.right - view.left - view.right) / 2
  }
}

// ---- wires

const sharedEdge = join => join.edges.find(k => flow.edges.includes(k))
const isShared = join => sharedEdge(join) !== undefined
const isChosen = join => join.weight !== undefined && join.weight === flow.parameter
const rank = join => (isShared(join) ? 1 : 0) + (isChosen(join) ? 2 : 0)

function shareText(join) {
  const edges = join.edges.filter(k => flow.edges.includes(k))
  return edges.map(k => badgeOf(flow.edgeStep.get(k)) + amount(EDGES[k].share)).join(' + ')
}

const path = points => 'M' + points.map(point => point.map(x => Math.round(x * 10) / 10).join(' ')).join('L')

function wire(join, points) {
  const edge = sharedEdge(join)
  const seen = edge !== undefined && carried(edge)
  const share = seen ? EDGES[edge].share : null
  const kind = isChosen(join) ? 'parameter' : seen ? hue(share) : edge !== undefined ? 'forward' : 'rest'
  const line = svg('path', {
    d: path(seen ? [...points].reverse() : points),
    class: 'wire ' + kind,
    'marker-end': seen && `url(#${kind})`,
    'stroke-width': seen && 1 + 2.2 * Math.min(1, size(share) / (flow.largest || 1)),
  })
  if (!(join.weight in DATA.flows)) return line
  return button(join.weight, 'w' + join.key, line, svg('path', {d: path(points), class: 'hit'}))
}

// ---- labels

// Puts a label on a free place of its wire, or anywhere if it must be shown.
function labelled(taken, points, w, h, make, must) {
  const free = (x, y) => taken.every(r => x + w < r.x || r.x + r.w < x || y + h < r.y || r.y + r.h < y)
  for (const t of [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86]) {
    const [x, y] = along(points, t)
    if (free(x - w / 2, y - h / 2)) {
      taken.push({x: x - w / 2, y: y - h / 2, w, h})
      return [make(x, y)]
    }
  }
  return must ? [make(...along(points, 0.5))] : []
}

function wireLabel(join, points, taken) {
  if (isChosen(join)) {
    const w = weightWidth(join)
    return labelled(taken, points, w, 46, (x, y) => weightChip(join, x, y, w), true)
  }
  const edge = sharedEdge(join)
  if (edge === undefined || !carried(edge)) return []
  const text = shareText(join)
  const w = em(text) * SMALL + 12
  const pill = (x, y) => [
    rectangle(x - w / 2, y - 10, w, 20, 'paper', {rx: 6}),
    write(x, y + 4, text, 'small number ' + hue(EDGES[edge].share)),
  ]
  return labelled(taken, points, w, 20, (x, y) => svg('g', {class: 'pill'}, ...pill(x, y)), false)
}

const shareOn = join => edgeOf.get(between(join.weight, join.consumer))
const weightWidth = join => Math.max(em(chipText(join.weight)), em(amount(EDGES[shareOn(join)].share)) + 3) * SMALL + 14

// The weight that is the parameter, with its share below.
function weightChip(join, x, y, w) {
  const n = join.weight
  const edge = shareOn(join)
  const {share} = EDGES[edge]
  const last = EDGES.filter(({input}) => input === n).length === 1
  const step = last && known(flow.steps.length) ? flow.steps.length : flow.edgeStep.get(edge)
  const seen = carried(edge)
  const [left, top] = [x - w / 2, y - 23]
  return button(
    n,
    'c' + join.key,
    rectangle(left, top, w, 23, 'fill parameter'),
    write(x, top + 16, chipText(n), 'small parameter'),
    rectangle(left, y, w, 23, 'fill ' + (seen ? hue(share) : 'later')),
    write(x, y + 16, seen ? badgeOf(step) + amount(share) : '…', 'small number ' + (seen ? hue(share) : 'muted')),
    rectangle(left, top, w, 46, 'box parameter', {rx: 7}),
  )
}
