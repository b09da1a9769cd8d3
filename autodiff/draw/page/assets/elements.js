// Creation of elements of the page and of its picture: attributes, text, and functions as handlers.

function element(space, tag, attributes, children) {
  const made = document.createElementNS(space, tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made[name] = value
    else if (value !== undefined && value !== false) made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

const html = (tag, attributes = {}, ...children) => element('http://www.w3.org/1999/xhtml', tag, attributes, children)
const svg = (tag, attributes = {}, ...children) => element('http://www.w3.org/2000/svg', tag, attributes, children)

const rectangle = (x, y, width, height, kind, more = {}) => svg('rect', {x, y, width, height, ...more, class: kind})
const write = (x, y, text, kind) => svg('text', {x, y, class: kind, 'text-anchor': 'middle'}, ...raised(text, svgPower))

// Exponents after a caret, in brackets or without, are raised: (1 + rate)^years.
const POWER = /(?<=[^\s([])\^(?:\(((?:[^()]|\([^()]*\))+)\)|([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*(?:\([^()]*\))?))/u
const svgPower = [
  text => svg('tspan', {dy: '-0.6em', 'font-size': '66%'}, text),
  text => svg('tspan', {dy: '0.4em'}, text),
]
const htmlPower = [text => html('sup', {}, text), text => text]

function raised(text, [up, down]) {
  const parts = String(text).split(POWER)
  const made = parts.map((part, k) => (k % 3 ? part && up(part) : k && part ? down(part) : part))
  return made.filter(Boolean)
}

const sentence = text => raised(text, htmlPower)
