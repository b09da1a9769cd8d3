// Numbers in the format of Python, and their sizes.

const minus = text => text.replace('-', '−')

// The exact decimal digits of |x|, rounded half to even as in Python's format, and its exponent.
function rounded(x, digits) {
  const [written, exponent] = Math.abs(x).toExponential(99).split('e')
  const all = written.replace('.', '')
  const rest = all.slice(digits).padEnd(1, '0')
  const half = '5'.padEnd(rest.length, '0')
  let kept = all.slice(0, digits)
  if (rest > half || (rest === half && kept.at(-1) % 2)) kept = String(BigInt(kept) + 1n)
  return kept.length > digits ? [kept.slice(0, -1), +exponent + 1] : [kept, +exponent]
}

function laidOut(negative, digits, exponent, most, point) {
  return (negative ? '−' : '') + placed(digits, exponent, most, point)
}

function placed(digits, exponent, most, point) {
  if (exponent < -4 || exponent >= Math.max(most, 7)) {
    const power = String(Math.abs(exponent)).padStart(2, '0')
    const fraction = digits.length > 1 ? '.' + digits.slice(1) : ''
    return digits[0] + fraction + 'e' + (exponent < 0 ? '−' : '+') + power
  }
  if (exponent < 0) return '0.' + '0'.repeat(-exponent - 1) + digits
  if (digits.length > exponent + 1) return digits.slice(0, exponent + 1) + '.' + digits.slice(exponent + 1)
  return digits.padEnd(exponent + 1, '0') + point
}

function number(x, digits = state.digits) {
  if (x === null) return '–'
  if (typeof x === 'string') return minus(x)
  if (digits === 'all') {
    const [all, exponent] = Math.abs(x).toExponential().split('e')
    return laidOut(x < 0 || Object.is(x, -0), all.replace('.', ''), +exponent, 16, '.0')
  }
  const [kept, exponent] = rounded(x, digits)
  return laidOut(x < 0, kept.replace(/0+$/, '') || '0', exponent, digits, '').replace(/^−?\d{5,}/, n =>
    n.replace(/\B(?=(\d{3})+$)/g, ','),
  )
}

const isArray = value => value !== null && typeof value === 'object'

// The number in an array with a single entry; any other value unchanged.
const single = value => (isArray(value) && value.data.length === 1 ? value.data[0] : value)

function amount(value) {
  const one = single(value)
  if (!isArray(one)) return number(one)
  return say('term.norm', {shape: one.shape.join('×'), norm: number(one.norm)})
}

function size(value) {
  const one = single(value)
  const x = isArray(one) ? one.norm : one
  if (x === null || x === 'nan') return 0
  return typeof x === 'string' ? 1e308 : Math.abs(x)
}

function sign(value) {
  const one = single(value)
  if (one === null) return 0
  if (isArray(one)) return one.norm === 0 ? 0 : 1
  if (typeof one === 'string') return one.startsWith('-') ? -1 : 1
  return Math.sign(one)
}

const hue = value => ['negative', 'zero', 'error'][sign(value) + 1]
