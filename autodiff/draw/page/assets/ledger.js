// What the page knows of the graph, and what its reader has chosen.

const DATA = JSON.parse(document.getElementById('data').textContent)
const LANGUAGES = DATA.languages
const NODES = DATA.nodes.map(([label, value, error, symbol, operation]) => ({label, value, error, symbol, operation}))
const EDGES = DATA.edges.map(([consumer, input, , local, symbol, share, made]) => ({
  consumer,
  input,
  local,
  symbol,
  share,
  made,
}))

const state = {
  parameter: DATA.parameter,
  step: 0,
  predict: false, // each number is asked for before it is shown
  shown: true, // the answer is
  said: '', // the phrase about the reader's answer
  unknown: '', // the name that was looked for and not found
  language: DATA.language,
  theme: DATA.theme,
  digits: DATA.digits,
}
