// Texts in the reader's language; texts never become markup.

const inLanguage = texts => texts[LANGUAGES.indexOf(state.language)]
const say = (key, fields = {}) => inLanguage(DATA.phrases[key]).replace(/\{(\w+)\}/g, (_, name) => fields[name])

// A text of the story, with numbers in the reader's number of digits.
function told(text) {
  const written = DATA.texts[text]
  const pieces = (inLanguage(written) ?? written[0]).map(k => DATA.pieces[k])
  return pieces.map(piece => (typeof piece === 'number' ? number(piece) : ltr(piece))).join('')
}

// Keeps numbers to the right of a name in a right-to-left script.
const leftward = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+/g
const ltr = text => text.replace(leftward, '$&\u200e')

function brief(text, most = 36) {
  const all = Array.from(text)
  return ltr(all.length > most ? all.slice(0, most - 1).join('') + '…' : text)
}

const badge = n => (n <= 20 ? String.fromCharCode(0x245f + n) : `(${n})`)
const badgeOf = step => (step === undefined ? '' : badge(flow.steps[step - 1].number) + ' ')

const errorName = n =>
  n === flow.parameter ? flow.derivative : NODES[n].symbol || say('term.error-at', {node: brief(NODES[n].label, 60)})
const errorLabel = n =>
  badgeOf(flow.nodeStep.get(n)) + brief(n === flow.parameter ? flow.derivative : NODES[n].symbol || say('term.error'))

// The local gradient of an edge: its symbol, its number, or both; `whole` formats an operand of a product.
function localGradient({symbol, local}, whole = text => text) {
  if (symbol === 0) return whole(number(local))
  if (local === null) return whole(brief(symbol))
  return `${whole(brief(symbol))} = ${number(local)}`
}

const operand = text => (/^−|\x20[+−]\x20/.test(text) ? `(${text})` : text)

// All data of a node, in full.
function about(n) {
  const {label, value, error, operation, line, whole: cut} = NODES[n]
  const full = x => (isArray(single(x)) ? inFull(n, x) : number(single(x), 'all'))
  const made = (operation ?? null) === null ? '' : ` = ${told(operation)}(…)`
  const name = (cut ?? null) === null ? brief(label, 60) + made : told(cut)
  const seen = flow.way.has(n) ? known(flow.nodeStep.get(n)) : !state.predict || known()
  const shown = seen ? full(error) : say(state.predict ? 'page.hidden' : 'term.not-yet')
  const whole = say('term.hint', {node: name, value: full(value), error: errorName(n), number: shown})
  return line ? say('term.at-line', {told: whole, number: line[0], text: told(line[1])}) : whole
}
