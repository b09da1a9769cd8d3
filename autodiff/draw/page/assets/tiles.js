// Arrays as tiles: a path for each level, a bar on each negative tile, a cross for nan.

const TILES = 96 // px along an axis, if there are many tiles
const [VALUE, ERROR] = [1, 2] // the rows of a node's value and of its error
const RANGE = 2 // from rows to the range of the same array

const [GAP, NOTE] = [6, 15] // px between a matrix and its factors, and the height of a line of text

const tileRows = (n, which) => DATA.tiles[n]?.[which] ?? []
const tileSide = count => Math.max(3, Math.min(10, Math.floor(TILES / count)))
const tileExtent = count => count && count * tileSide(count)
const sizeOf = rows => [tileExtent(rows[0]?.length ?? 0), tileExtent(rows.length)]

// The heights of the values and of the errors in a box, and the width of each cell.
function tileRoom({nodes}) {
  const sizes = nodes.flatMap(n => [sizeOf(tileRows(n, VALUE)), errorSize(n)])
  const high = which => Math.max(0, ...sizes.filter(([w], k) => w && k % 2 === which).map(([, h]) => h + 6))
  return [high(0), high(1), Math.max(...sizes.map(([w]) => w && w + 14))]
}

function errorSize(n) {
  const block = outerOf(n)
  return block ? [block.w, block.h] : sizeOf(tileRows(n, ERROR))
}

// The places in the block of an outer product: a column left of the matrix, a row above it, and text around them.
function outerOf(n) {
  const made = n === flow.parameter && DATA.outers?.[n]
  if (!made) return undefined
  const [column, row] = made
  const notes = made[2].map(told)
  const [[across, down], [beside], [, above]] = [tileRows(n, ERROR), column[2], row[2]].map(sizeOf)
  const long = text => em(text) * SMALL
  const x = Math.max(beside, long(column[0])) + GAP
  const y = NOTE + Math.max(above, NOTE) + GAP
  const w = Math.max(x + Math.max(across, long(row[0])), ...notes.map(long))
  return {column, row, notes, across, down, beside, above, x, y, w, h: y + down + NOTE * notes.length}
}

// The colour of a tile and, if it is negative, that of its bar.
function looksOf(character, lane) {
  if (character === '+') return ['ink']
  if (character === '-') return ['ink', 'bar paper']
  const level = 'abcdef'.indexOf(character) + 1
  if (!level) return [lane + ' l' + character]
  return ['negative l' + level, level > 3 ? 'bar paper' : 'bar negative l' + (level + 3)]
}

function tiles(n, which, middle, top) {
  const rows = tileRows(n, which)
  if (!rows.length) return []
  const block = which === ERROR ? outerOf(n) : undefined
  if (block) return outerProduct(block, rows, middle - block.w / 2, top)
  const lane = which === ERROR ? 'error' : DATA.tiles[n][0] ? 'parameter' : 'forward'
  return patch(rows, lane, middle - sizeOf(rows)[0] / 2, top)
}

function outerProduct({column, row, notes, across, down, beside, above, x, y, w}, rows, left, top) {
  const [x0, y0] = [left + x, top + y]
  const note = (middle, line, text) => write(middle, line, text, 'small')
  return [
    ...patch(column[2], column[1], x0 - GAP - beside, y0),
    ...patch(row[2], row[1], x0, y0 - GAP - above),
    ...patch(rows, 'error', x0, y0),
    note(left + (x - GAP) / 2, y0 - GAP - 3, column[0]),
    note(x0 + Math.max(across, em(row[0]) * SMALL) / 2, y0 - GAP - above - 4, row[0]),
    ...notes.map((text, k) => note(left + w / 2, y0 + down + NOTE * (k + 1) - 3, text)),
  ]
}

// The tiles of an array with its left upper corner.
function patch(rows, lane, left, top) {
  const [w, h] = [tileSide(rows[0].length), tileSide(rows.length)]
  const paths = new Map()
  const add = (kind, part) => paths.set(kind, (paths.get(kind) ?? '') + part)
  const put = (character, x, y) => {
    if (character === 'x') return add('cross', `M${x} ${y - h / 2}l${w} ${h}M${x} ${y + h / 2}l${w} ${-h}`)
    const [colour, bar] = looksOf(character, lane)
    add(colour, `M${x} ${y}h${w}`)
    if (bar) add(bar, `M${x + w / 4} ${y}h${w / 2}`)
  }
  rows.forEach((row, i) =>
    Array.from(row).forEach((character, j) => character === '0' || put(character, left + j * w, top + (i + 0.5) * h)),
  )
  const drawn = [...paths].sort(([a], [b]) => a.startsWith('bar') - b.startsWith('bar'))
  const strokes = drawn.map(([kind, d]) => svg('path', {d, class: 'tile ' + kind, 'stroke-width': strokeOf(kind, h)}))
  return [rectangle(left, top, rows[0].length * w, rows.length * h, 'frame'), ...strokes]
}

const strokeOf = (kind, h) => (kind.startsWith('bar') ? Math.max(0.8, h / 7) : kind === 'cross' ? 1 : h)

// An array in full: its shape, norm and range.
function inFull(n, value) {
  const which = value === NODES[n].value ? VALUE : ERROR
  const [least, mean, most] = DATA.tiles[n]?.[which + RANGE] ?? []
  if (least === undefined) return amount(value)
  const range = say('term.extent', {least: number(least), mean: number(mean), most: number(most)})
  return say('term.pair', {first: amount(value), second: range})
}

// The parts of the legend: the numbers with the full colour, and how to read a tile.
function tileLegend() {
  const words = {
    forward: most => say('legend.tiles-forward', {most}),
    parameter: most => say('legend.tiles-parameter', {most}),
    error: most => say('legend.tiles-error', {most}),
  }
  const scales = Object.entries(DATA.scales)
  const spans = scales.map(([lane, most]) => [lane, words[lane](number(most))])
  const most = DATA.gradients[flow.parameter]
  if (most !== undefined) spans.push(['error', say('legend.tiles-gradient', {most: number(most)})])
  return scales.length ? [...spans, ['muted', say('legend.tiles')]] : []
}
