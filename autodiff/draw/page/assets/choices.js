// The reader's choices: another parameter from a list or by its name, the language, the theme, the digits.

const picker = html('select', {onchange: () => select(+picker.value)})
const nameList = html('datalist', {id: 'names'})
const unknown = html('span', {id: 'unknown', role: 'status'})
const find = html('input', {
  list: 'names',
  type: 'search',
  autocomplete: 'off',
  'aria-describedby': 'unknown',
  onchange: () => search(),
  onkeydown: event => {
    if (event.key === 'Enter') search()
  },
  oninput: () => {
    state.unknown = ''
    sayAll()
  },
})
const predict = html('input', {
  type: 'checkbox',
  onchange: () => {
    state.predict = predict.checked
    go(state.predict ? 0 : state.step)
  },
})

const language = chooser(
  'language',
  LANGUAGES.map(value => [value, {en: 'English', zh: '中文'}[value] ?? value]),
)
for (const option of language.options) option.lang = option.value
const theme = chooser(
  'theme',
  ['auto', 'light', 'dark'].map(value => [value, '']),
)
const counts = [...new Set([2, 3, 4, 6, 8, 10, 12, 17, DATA.digits])].sort((a, b) => a - b)
const digits = chooser(
  'digits',
  [...counts, 'all'].map(value => [value, value]),
  value => (value === 'all' ? value : +value),
)

for (const k of Object.keys(DATA.flows)) {
  picker.append(html('option', {value: k}, brief(NODES[k].label)))
  nameList.append(html('option', {value: NODES[k].label}))
}

// A list of values with their labels, for one entry of the state.
function chooser(name, options, read = value => value) {
  const onchange = () => {
    state[name] = read(made.value)
    draw()
  }
  const made = html('select', {onchange}, ...options.map(([value, word]) => html('option', {value}, word)))
  return made
}

function field(id, control) {
  control.id = id
  return html('label', {for: id}, html('span', {id: id + '-word'}), control)
}

function search() {
  const n = found(find.value)
  if (n === undefined) {
    sayAll()
    unknown.scrollIntoView({block: 'nearest'})
    return
  }
  find.value = ''
  select(n)
}

// The labels of all choices, and the current choices.
function sayChoices() {
  const words = {
    picker: say('page.choose'),
    find: say('page.find'),
    predict: say('page.predict'),
    language: say('page.language'),
    theme: say('page.theme'),
    digits: say('page.digits'),
  }
  for (const [id, word] of Object.entries(words)) document.getElementById(id + '-word').textContent = word
  const themes = [say('page.theme-auto'), say('page.theme-light'), say('page.theme-dark')]
  themes.forEach((word, k) => (theme.options[k].textContent = word))
  digits.options[digits.options.length - 1].textContent = say('page.all-digits')
  picker.value = state.parameter
  language.value = state.language
  theme.value = state.theme === 'print' ? 'light' : state.theme
  digits.value = state.digits
  predict.checked = state.predict
}

// The message for a name without a flow.
function sayUnknown() {
  const untold = NODES.some(node => plain(node.label) === plain(state.unknown))
  put(unknown, state.unknown && say(untold ? 'page.unfollowed' : 'page.unknown', {name: brief(state.unknown)}))
  find.setAttribute('aria-invalid', state.unknown !== '' && find.value !== '')
}
