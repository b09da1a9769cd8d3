// Predict first: each step asks for its number before showing it.

const guess = html('input', {id: 'guess', inputmode: 'decimal', autocomplete: 'off', size: 10})
const asked = html('label', {for: 'guess'})
const answer = html('button', {id: 'answer'})
const reveal = html('button', {type: 'button', id: 'reveal', onclick: () => show('')})
const quiz = html('form', {id: 'quiz', hidden: '', onsubmit: submit}, asked, guess, answer, reveal)
const labels = new Set(NODES.map(node => node.label)) // their values are visible

// The first quantity of a step, and its number; null if there is nothing to predict.
function question() {
  const step = flow.steps[state.step - 1]
  if (!step || state.step === 1) return null
  const nodes = step.nodes.filter(n => typeof single(NODES[n].error) === 'number')
  if (nodes.length) {
    const [n] = nodes.sort((a, b) => size(NODES[b].error) - size(NODES[a].error))
    return {quantity: errorName(n), right: single(NODES[n].error)}
  }
  const edge = step.edges
    .map(k => EDGES[k])
    .find(({symbol, local}) => symbol !== 0 && !labels.has(symbol) && typeof local === 'number')
  return edge ? {quantity: edge.symbol, right: edge.local} : null
}

const asking = () => state.predict && !state.shown && question() !== null

function ask() {
  state.shown = !state.predict
  state.said = guess.value = ''
}

function submit() {
  check()
  return false
}

function check() {
  const {right} = question()
  const written = guess.value.normalize('NFKC').replace(/[−–]/g, '-').replace(',', '.').trim()
  const given = Number(written || 'none')
  if (Number.isFinite(given)) {
    show(Math.abs(given - right) <= 0.005 * Math.abs(right) + 1e-12 ? 'page.right' : 'page.wrong')
  } else {
    state.said = 'page.no-number'
    draw()
    guess.focus()
  }
}

function show(said) {
  state.shown = true
  state.said = said
  draw()
  buttons.next.focus()
}
