// The page around the picture, redrawn after every change of the state.

const title = html('h1', {'aria-live': 'polite'})
const formula = html('p', {id: 'formula'})
const counter = html('span', {id: 'counter'})
const caption = html('p', {id: 'caption', 'aria-live': 'polite', 'aria-atomic': 'true'})
const figure = html('figure', {id: 'figure'})
const info = html('p', {id: 'info'})
const legend = html('p', {id: 'legend'})
const remarkList = html('ul', {id: 'remarks'})
const whyTitle = html('h2', {})
const whyList = html('ul', {})
const why = html('section', {id: 'why'}, whyTitle, whyList)
const shareTable = html('table', {id: 'shares'})
const stepList = html('ol', {id: 'steps'})
const hint = html('p', {class: 'hint'})
const folded = html('p', {id: 'folded', class: 'hint'})
const MOST_ROWS = 200

function draw() {
  const focused = document.activeElement?.dataset?.key
  const step = flow.steps[state.step - 1]
  sayAll()
  drawHeading()
  drawCaption(step)
  drawButtons()
  const left = figure.scrollLeft
  figure.replaceChildren(picture())
  figure.scrollLeft = left
  follow(step)
  inform(flow.parameter)
  drawWhy()
  drawShares()
  drawSteps()
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({preventScroll: true})
}

// Each message is announced only once.
const announced = new WeakMap()
function put(line, text) {
  if (announced.get(line) === text) return
  announced.set(line, text)
  line.replaceChildren(...sentence(text))
}

const isTold = () => flow.steps.length > 0 && state.step === flow.steps.length && !asking()

const inform = n => info.replaceChildren(...sentence(about(n)))

// ---- words

function sayAll() {
  document.documentElement.lang = state.language
  document.documentElement.dataset.theme = state.theme
  const words = {
    first: say('page.first'),
    previous: say('page.previous'),
    next: say('page.next'),
    last: say('page.last'),
  }
  for (const [name, word] of Object.entries(words)) buttons[name].textContent = word
  answer.textContent = say('page.check')
  reveal.textContent = say('page.reveal')
  hint.textContent = say('page.choose-hint') + ' ' + say('page.keys')
  sayLegend()
  sayLeftOut()
  sayUnknown()
  sayChoices()
}

function sayLegend() {
  const words = {
    forward: say('legend.forward'),
    error: say('legend.error'),
    negative: say('legend.negative'),
    parameter: say('legend.parameter'),
    muted: say('legend.rest'),
  }
  const parts = [...Object.entries(words), ...(DATA.tiles ? tileLegend() : [])]
  legend.replaceChildren(...parts.map(([kind, word]) => html('span', {class: kind}, word)))
}

function sayLeftOut() {
  const untold = NODES.length - Object.keys(DATA.flows).length
  const said = [DATA.folded && say('page.folded', {count: DATA.folded}), untold && say('page.untold', {count: untold})]
  folded.textContent = said.filter(Boolean).join(' ')
}

// ---- parts

function drawHeading() {
  const {label, error} = NODES[flow.parameter]
  const heading = say(flow.steps.length ? 'title.flow' : 'title.empty', {parameter: brief(label)})
  put(title, heading)
  document.title = heading
  const whole = isTold()
  const parts = flow.formula.map(told).filter((_, k) => k === 0 || whole || !flow.steps.length)
  if (whole) parts.push(amount(error))
  const kind = k => (whole && k === parts.length - 1 ? 'b' : 'span')
  const written = parts.flatMap((part, k) => [' = ', html(kind(k), {}, ...sentence(part))])
  formula.replaceChildren(html('bdi', {dir: 'ltr'}, ...sentence(flow.derivative)), ...written)
}

function drawCaption(step) {
  const count = flow.steps.length
  const hide = asking()
  const {quantity, right} = (step && question()) || {}
  const said = state.said && say(state.said, {quantity, number: number(right)}) + '\n'
  const asks = () => (hide ? say('page.question', {quantity}) : told(step.text))
  put(caption, step ? said + badge(step.number) + ' ' + asks() : count ? say('page.forward') : told(flow.remarks[0]))
  counter.textContent = count
    ? say('page.step', {number: step ? step.number : 0, count: flow.steps[count - 1].number})
    : ''
  quiz.hidden = !hide
  asked.textContent = hide ? say('page.your-answer') : ''
}

// Buttons stay enabled at the ends, because disabled buttons lose the focus.
function drawButtons() {
  for (const name of ['first', 'previous']) buttons[name].setAttribute('aria-disabled', state.step === 0)
  for (const name of ['next', 'last']) buttons[name].setAttribute('aria-disabled', state.step === flow.steps.length)
}

// Where the factors come from and what their product means are told with the last number.
function drawWhy() {
  const line = k => html('li', {}, ...sentence(told(k)))
  const [head, ...origins] = isTold() ? flow.origins : []
  const listed = html('ul', {}, ...origins.map(line))
  const from = head === undefined ? [] : [html('li', {}, ...sentence(told(head)), listed)]
  whyTitle.textContent = say('explain.why')
  whyList.replaceChildren(...flow.reasons.map(line), ...from, ...(isTold() ? flow.meaning.map(line) : []))
  why.hidden = !flow.reasons.length
}

function drawShares() {
  const head = [
    say('page.column-step'),
    say('page.column-from'),
    say('term.error'),
    say('term.local-gradient'),
    say('page.column-to'),
    say('term.share'),
  ]
  const rows = flow.edges.slice(0, MOST_ROWS).map(shareRow)
  const more = flow.edges.length - rows.length
  if (more) rows.push(html('tr', {}, html('td', {colspan: 6}, say('text.more', {count: more}))))
  shareTable.replaceChildren(
    html('caption', {}, ...sentence(say('page.table', {parameter: brief(NODES[flow.parameter].label)}))),
    html('thead', {}, html('tr', {}, ...head.map(word => html('th', {scope: 'col'}, word)))),
    html('tbody', {}, ...rows),
  )
  shareTable.hidden = !rows.length
  shareTable.tabIndex = shareTable.scrollWidth > shareTable.clientWidth ? 0 : -1
}

function shareRow(k) {
  const edge = EDGES[k]
  const [consumer, input] = [NODES[edge.consumer], NODES[edge.input]]
  const step = flow.edgeStep.get(k)
  const seen = known(step)
  const share = (edge.made ? brief(edge.made) + ' = ' : '') + amount(edge.share)
  const texts = [
    badgeOf(step),
    brief(consumer.label),
    seen ? amount(consumer.error) : '…',
    seen ? (edge.rule ? told(edge.rule) : localGradient(edge)) : '…',
    brief(input.label),
    carried(k) ? share : '…',
  ]
  const kind = column => (column === 5 && carried(k) ? 'number ' + hue(edge.share) : '')
  const written = texts.map(text => html('bdi', {dir: 'ltr'}, ...sentence(text)))
  const cells = written.map((text, column) => html('td', {class: kind(column)}, text))
  return html('tr', {'data-edge': k, class: step === state.step ? 'now' : ''}, ...cells)
}

// The steps so far, and the remarks after the last one.
function drawSteps() {
  remarkList.replaceChildren(...(isTold() ? flow.remarks.map(k => html('li', {}, ...sentence(told(k)))) : []))
  stepList.replaceChildren(...flow.steps.flatMap(stepItems))
}

function stepItems(step, k) {
  const hidden = known(k + 1) ? undefined : ''
  const left = step.number - 1 - (flow.steps[k - 1]?.number ?? 0)
  const text = badge(step.number) + ' ' + told(step.text)
  const item = html('li', {class: k + 1 === state.step ? 'now' : '', hidden}, ...sentence(text))
  return left ? [html('li', {hidden}, say('text.more', {count: left})), item] : [item]
}

// ---- the beginning

const main = document.querySelector('main')
main.append(
  html('header', {}, title, formula),
  html('nav', {}, ...Object.values(buttons), counter, field('language', language)),
  caption,
  quiz,
  figure,
  info,
  legend,
  remarkList,
  why,
  shareTable,
  stepList,
  html(
    'div',
    {id: 'options'},
    field('picker', picker),
    html('div', {id: 'named'}, field('find', find), unknown),
    field('predict', predict),
    field('theme', theme),
    field('digits', digits),
  ),
  nameList,
  hint,
  folded,
)

let width = 0
let before = null // the step before printing, which shows all steps

window.addEventListener('hashchange', () => {
  fromLink()
  draw()
})
window.addEventListener('resize', () => {
  if (figure.clientWidth === width) return
  width = figure.clientWidth
  draw()
})
window.addEventListener('beforeprint', () => {
  if (state.predict) return
  before = state.step
  state.step = flow.steps.length
  draw()
})
window.addEventListener('afterprint', () => {
  if (before === null) return
  state.step = before
  before = null
  draw()
})
fromLink()
draw()
document.documentElement.dataset.ready = ''
globalThis.autodiff = {number}
