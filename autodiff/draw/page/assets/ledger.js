// The data of the graph, and the reader's choices.

const DATA = JSON.parse(document.getElementById('data').textContent)
const LANGUAGES = DATA.languages
const NODES = DATA.nodes.map(([label, value, error, symbol, operation, line, whole]) => ({
  label,
  value,
  error,
  symbol,
  operation,
  line,
  whole,
}))
const EDGES = DATA.edges.map(([consumer, input, , local, symbol, share, made, rule]) => ({
  consumer,
  input,
  local,
  symbol,
  share,
  made,
  rule,
}))

const state = {
  parameter: DATA.parameter,
  step: 0,
  predict: false, // readers predict each number before it is shown
  shown: true, // whether the answer is shown
  said: '', // the phrase about the reader's answer
  unknown: '', // the name that was not found
  language: DATA.language,
  theme: DATA.theme,
  digits: DATA.digits,
}
