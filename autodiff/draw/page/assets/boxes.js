// The boxes of the picture: the cells of a unit with value and error, its biases, and the local gradient inside it.

const chipText = n => `${brief(NODES[n].label)} = ${amount(NODES[n].value)}`
const insideText = edge => badgeOf(flow.edgeStep.get(edge)) + '× ' + localGradient(EDGES[edge], operand)

let clicked = {} // the last click: an element redrawn under a resting mouse does not count as hovered

// A part of the picture that describes a node and leads to its flow if the page has it.
function button(n, key, ...children) {
  const tell = () => inform(n)
  const rests = event => event.clientX === clicked.clientX && event.clientY === clicked.clientY
  const pick = event => {
    clicked = event
    select(n)
  }
  const current = n === flow.parameter ? 'true' : undefined
  const role =
    n in DATA.flows
      ? {class: 'pick', role: 'button', tabindex: 0, 'aria-current': current, onclick: pick}
      : {role: 'img'}
  const pointed = {onfocus: tell, onmouseenter: event => rests(event) || tell()}
  return svg('g', {...role, 'data-key': key, 'data-node': n, 'aria-label': about(n), ...pointed}, ...children)
}

function boxed(box) {
  const {x, y, w, h, nodes, more} = box
  if (more) {
    const title = svg('title', {}, say('term.more-nodes', {count: more}))
    return [
      svg('g', {}, rectangle(x, y, w, h, 'box more', {rx: 8}), write(x + w / 2, y + 20, `+ ${more}`, 'muted'), title),
    ]
  }
  const kind = nodes.includes(flow.parameter) ? 'parameter' : box.on ? '' : 'rest'
  const id = 'c' + nodes[0]
  const parts = [
    ...box.chips.map((bias, k) => chip(box, bias, y + k * CHIP)),
    ...nodes.map((n, k) => cell(box, n, k)),
    ...(box.inside === undefined ? [] : strip(box)),
    rectangle(x, y, w, h, 'box ' + kind, {rx: 9}),
  ]
  return [
    svg('clipPath', {id}, rectangle(x, y, w, h, undefined, {rx: 9})),
    svg('g', {'clip-path': `url(#${id})`}, ...parts),
  ]
}

function cell(box, n, k) {
  const {label, value} = NODES[n]
  const w = box.w / box.nodes.length
  const left = box.x + k * w
  const middle = left + w / 2
  const top = box.y + CHIP * box.chips.length
  const on = flow.way.has(n)
  const lane = n === flow.parameter ? 'parameter' : on ? 'forward' : 'rest'
  const parts = [
    rectangle(left, top, w, FORWARD + box.room[0], 'fill ' + lane),
    ...(DATA.tiles ? tiles(n, VALUE, middle, top + FORWARD - 2) : []),
    write(middle, top + 19, brief(label), 'name ' + (on ? '' : 'muted')),
    write(middle, top + 38, amount(value), 'value ' + lane),
  ]
  return button(n, 'n' + n, ...parts, ...(on ? errorOf(n, left, top + FORWARD + box.room[0], w, box.room[1]) : []))
}

function errorOf(n, left, top, w, room) {
  const {error} = NODES[n]
  const back = known(flow.nodeStep.get(n))
  const kind = back ? hue(error) : 'muted'
  return [
    rectangle(left, top, w, BACK + room, 'fill ' + (back ? kind : 'later')),
    ...(DATA.tiles && back ? tiles(n, ERROR, left + w / 2, top + BACK - 2) : []),
    write(left + w / 2, top + 17, errorLabel(n), 'error-name ' + kind),
    write(left + w / 2, top + 36, back ? amount(error) : '…', 'number ' + kind),
  ]
}

function strip({x, y, w, h, inside}) {
  const step = flow.edgeStep.get(inside)
  const seen = known(step)
  const top = y + h - STRIP
  return [
    rectangle(x, top, w, STRIP, 'fill ' + (seen ? 'strip' : 'later')),
    write(
      x + w / 2,
      top + 14,
      seen ? insideText(inside) : badgeOf(step) + '× …',
      'small ' + (seen ? 'error' : 'muted'),
    ),
  ]
}

// A bias, with its error beside it if it is the parameter.
function chip(box, bias, y) {
  const {x, w} = box
  const on = bias === flow.parameter
  const left = on ? w / 2 : w
  const parts = [
    rectangle(x, y, left, CHIP, 'fill ' + (on ? 'parameter' : 'rest')),
    write(x + left / 2, y + 15, chipText(bias), 'small ' + (on ? 'parameter' : 'muted')),
  ]
  if (on) {
    const back = known(flow.nodeStep.get(bias))
    const kind = hue(NODES[bias].error)
    parts.push(
      rectangle(x + left, y, w - left, CHIP, 'fill ' + (back ? kind : 'later')),
      write(x + left * 1.5, y + 15, back ? amount(NODES[bias].error) : '…', 'small number ' + (back ? kind : 'muted')),
    )
  }
  return button(bias, `n${bias}-${box.nodes[0]}`, ...parts)
}
