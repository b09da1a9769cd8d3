// Moves between steps and parameters: by buttons, keys, names and links.

const moves = {
  first: {key: 'Home', to: () => 0},
  previous: {key: 'ArrowLeft', to: () => state.step - 1},
  next: {key: 'ArrowRight', to: () => state.step + 1},
  last: {key: 'End', to: () => flow.steps.length},
}
const moveByKey = new Map(Object.values(moves).map(({key, to}) => [key, to]))
const buttons = Object.fromEntries(
  Object.entries(moves).map(([id, {key, to}]) => [
    id,
    html('button', {type: 'button', id, 'aria-keyshortcuts': key, onclick: () => move(to())}),
  ]),
)

function go(step) {
  state.step = step
  ask()
  link()
  draw()
}

// At an end, the step stays and no question is repeated.
function move(to) {
  const step = Math.max(0, Math.min(flow.steps.length, to))
  if (step !== state.step) go(step)
}

function select(parameter) {
  state.parameter = parameter
  state.unknown = ''
  choose(parameter)
  go(0)
}

// ---- names

const plain = name =>
  name
    .normalize('NFKC')
    .replace(/[\s_{}^$\\]/g, '')
    .toLowerCase()
    .replace(/^([wlv])(\d)(\d)(?![\d,])/, '$1$2,$3')
const targets = new Map(
  Object.keys(DATA.flows)
    .reverse()
    .map(k => [plain(NODES[k].label), +k]),
)

// Go to the node with that name if the page has its flow; otherwise show a message.
function found(name) {
  const n = targets.get(plain(name))
  state.unknown = n === undefined ? name.trim() : ''
  return n
}

// ---- links

function fromLink() {
  const wanted = new URLSearchParams(location.hash.slice(1))
  state.parameter = found(wanted.get('parameter') ?? '') ?? state.parameter
  choose(state.parameter)
  state.step = wanted.has('step') ? stepOfNumber(+wanted.get('step')) : state.theme === 'print' ? flow.steps.length : 0
  ask()
}

const stepOfNumber = wanted => (wanted ? flow.steps.findIndex(step => step.number === wanted) + 1 : 0)

function link() {
  const usual = state.parameter === DATA.parameter
  const fields = new URLSearchParams(usual ? {} : {parameter: NODES[state.parameter].label.normalize('NFKC')})
  fields.set('step', flow.steps[state.step - 1]?.number ?? 0)
  try {
    history.replaceState(null, '', '#' + fields)
  } catch {
    // a page inside another page has no link
  }
}

// ---- keys

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return
  const pick = event.target.closest?.('.pick')
  if (pick && (event.key === 'Enter' || event.key === ' ')) {
    event.preventDefault()
    select(+pick.dataset.node)
  } else if (isAnswer(event)) {
    guess.focus() // this receives the key
  } else if (isMove(event)) {
    event.preventDefault()
    move(moveByKey.get(event.key)())
  }
})

function isAnswer({key, target}) {
  return asking() && !textField(target) && target.tagName !== 'SELECT' && /^[\d.,+−-]$/.test(key)
}

// Skipped if an element needs the key itself.
function isMove({key, shiftKey, target}) {
  return !shiftKey && moveByKey.has(key) && !textField(target)?.value && target !== shareTable && !isOpen(target)
}

const textField = at => at.closest?.('input:not([type=checkbox])')
const isOpen = list => CSS.supports('selector(:open)') && list.matches?.('select:open')
