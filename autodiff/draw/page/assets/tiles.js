// Arrays as tiles: a path for each level, a bar on each negative tile, a cross for nan.

const TILES = 96 // px along an axis, if there are many tiles
const [VALUE, ERROR] = [1, 2] // the rows of a node's value and of its error
const RANGE = 2 // from rows to the range of the same array

const tileRows = (n, which) => DATA.tiles[n]?.[which] ?? []
const tileSide = count => Math.max(3, Math.min(10, Math.floor(TILES / count)))
const tileExtent = count => count && count * tileSide(count)
const tileWidth = (n, which) => tileExtent(tileRows(n, which)[0]?.length ?? 0)
const tileHeight = (n, which) => {
  const {length} = tileRows(n, which)
  return length && tileExtent(length) + 6
}

// The heights of the values and of the errors in a box, and the width of each cell.
function tileRoom({nodes}) {
  const most = (size, which, more) => Math.max(0, ...nodes.map(n => size(n, which) + more))
  const wide = Math.max(most(tileWidth, VALUE, 14), most(tileWidth, ERROR, 14))
  return [most(tileHeight, VALUE, 0), most(tileHeight, ERROR, 0), wide]
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
  const [w, h] = [tileSide(rows[0].length), tileSide(rows.length)]
  const left = middle - tileWidth(n, which) / 2
  const lane = which === ERROR ? 'error' : DATA.tiles[n][0] ? 'parameter' : 'forward'
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
