// Positions of boxes and wires: in columns starting at the output or, on upright screens, in rows.

const CELL = 84
const FORWARD = 46 // height of a value
const BACK = 44 // height of an error
const STRIP = 20 // height of the local gradient inside a unit
const CHIP = 22 // height of a bias
const SMALL = 12 // px, the smallest text; boxes for missing glyphs do not shrink below it

const between = (input, consumer) => `${input}>${consumer}`
const biasOf = new Map(DATA.biases.map(([bias, consumer]) => [consumer, bias]))
const weightOf = new Map(DATA.wires.map(([weight, input, consumer]) => [between(input, consumer), weight]))
const edgeOf = new Map(EDGES.map((edge, k) => [between(edge.input, edge.consumer), k]))
const columns = DATA.columns.map((column, c) => column.map(nodes => ({nodes, c})))
const joins = joined()
for (const [c, count] of DATA.more.entries()) if (count) columns[c].splice(-1, 0, {nodes: [], c, more: count})
for (const join of joins) join.via = vias(join)
for (const [c, column] of columns.entries()) order(column, c)

// One line for all edges between two nodes.
function joined() {
  const boxOf = new Map(columns.flat().flatMap(box => box.nodes.map(n => [n, box])))
  const made = new Map()
  for (const [k, {input, consumer}] of EDGES.entries()) {
    const [head, tail] = [boxOf.get(consumer), boxOf.get(input)]
    if (!head || !tail || head === tail) continue
    const key = between(input, consumer)
    if (!made.has(key)) made.set(key, {key, consumer, head, tail, edges: [], weight: weightOf.get(key)})
    made.get(key).edges.push(k)
  }
  return [...made.values()]
}

// A line that passes a column has a separate place in it.
function vias({head, tail}) {
  const [near, far] = [head, tail].map(box => (columns[box.c].indexOf(box) + 0.5) / columns[box.c].length)
  const made = []
  for (let c = head.c + 1; c < tail.c; c++) {
    const part = (c - head.c) / (tail.c - head.c)
    made.push({c, nodes: [], via: true, at: near + (far - near) * part})
  }
  return made
}

function order(column, c) {
  column.forEach((box, k) => (box.at = (k + 0.5) / column.length))
  column.push(...joins.flatMap(join => join.via.filter(via => via.c === c)))
  column.sort((a, b) => a.at - b.at)
}

// ---- sizes

const ruler = document.createElement('canvas').getContext('2d')
const widths = new Map()
ruler.font = `bold ${SMALL}px ${getComputedStyle(document.body).fontFamily}`

// The width of a bold text in the reader's fonts.
function em(text) {
  if (!widths.has(text)) widths.set(text, ruler.measureText(text).width / SMALL)
  return widths.get(text)
}

const widest = (least, texts) => Math.max(least, ...texts.map(em))

function measure(box) {
  const [input, consumer] = box.nodes
  const whole = box.nodes.length === 2 && flow.way.has(input) && flow.way.has(consumer)
  box.on = box.nodes.some(n => flow.way.has(n))
  box.chips = box.nodes.filter(n => biasOf.has(n)).map(n => biasOf.get(n))
  box.room = DATA.tiles ? tileRoom(box) : [0, 0, 0]
  box.inside = whole ? edgeOf.get(between(input, consumer)) : undefined
  if (box.via) box.w = box.h = 10
  else if (box.more) [box.w, box.h] = [70, 30]
  else [box.w, box.h] = [widthOf(box), heightOf(box)]
}

function widthOf({nodes, chips, inside, room}) {
  const own = Math.max(CELL, room[2], ...nodes.flatMap(textsOf).map(text => em(text) * 14 + 14))
  const inner = inside === undefined ? 0 : em(insideText(inside)) * SMALL + 12
  return Math.max(own * nodes.length, inner, ...chips.map(chipWidth))
}

function textsOf(n) {
  const {label, value, error} = NODES[n]
  return [brief(label), amount(value), ...(flow.way.has(n) ? [amount(error), errorLabel(n)] : [])]
}

function chipWidth(bias) {
  const own = SMALL * em(chipText(bias)) + 14
  return bias === flow.parameter ? own + em(amount(NODES[bias].error)) * SMALL + 14 : own
}

function heightOf({on, inside, chips, room}) {
  return FORWARD + room[0] + (on ? BACK + room[1] : 0) + (inside === undefined ? 0 : STRIP) + CHIP * chips.length
}

function wireLength(upright) {
  if (upright) return 78
  const text = 24 + SMALL * widest(0, joins.filter(isShared).map(shareText))
  return Math.max(150, text, state.digits === 'all' || state.digits > 8 ? 230 : 0)
}

// ---- places

// Places each box and returns the width and height of the picture.
function arrange(upright) {
  const [side, depth] = upright ? ['w', 'h'] : ['h', 'w']
  const gap = upright ? 12 : 20
  columns.flat().forEach(measure)
  const extents = columns.map(column => column.reduce((sum, box) => sum + box[side] + gap, -gap))
  const room = Math.max(...extents)
  const length = wireLength(upright)
  let start = 12
  for (let c = columns.length - 1; c >= 0; c--) {
    const thick = Math.max(...columns[c].map(box => box[depth]))
    let at = 12 + (room - extents[c]) / 2
    for (const box of columns[c]) {
      const middle = start + (thick - box[depth]) / 2
      ;[box.x, box.y] = upright ? [at, middle] : [middle, at]
      at += box[side] + gap
    }
    start += thick + length
  }
  const long = start - length + 12
  return upright ? [room + 24, long] : [long, room + 24]
}

// In the direction of the signal: from the input to the consumer.
function route({head, tail, via}, upright) {
  const middles = [...via].reverse().map(({x, y, w, h}) => [x + w / 2, y + h / 2])
  return [port(tail, upright, true), ...middles, port(head, upright, false)]
}

function port({x, y, w, h}, upright, out) {
  return upright ? [x + w / 2, y + (out ? h : 0)] : [x + (out ? w : 0), y + h / 2]
}

// The point at the fraction t of a curve.
function along(points, t) {
  const lengths = points.slice(1).map(([x, y], k) => Math.hypot(x - points[k][0], y - points[k][1]))
  let left = t * lengths.reduce((a, b) => a + b, 0)
  let k = 0
  while (k < lengths.length - 1 && left > lengths[k]) left -= lengths[k++]
  const part = lengths[k] ? left / lengths[k] : 0
  return points[k].map((x, axis) => x + (points[k + 1][axis] - x) * part)
}
