// The flow to the chosen parameter: its steps, its nodes and edges, and the reader's progress.

let flow

function choose(parameter) {
  const [own, formula, kept, count, remarks, reasons, origins, meaning] = DATA.flows[parameter]
  const usual = `∂${brief(NODES[DATA.output].label, 60)}/∂${brief(NODES[parameter].label, 60)}`
  const steps = numbered(kept, count)
  const way = count ? wayOf(parameter, steps) : new Set()
  const edges = [...EDGES.keys()].filter(k => way.has(EDGES[k].input) && way.has(EDGES[k].consumer))
  flow = {
    parameter,
    formula,
    steps,
    remarks,
    reasons,
    origins,
    meaning,
    way,
    edges,
    nodeStep: stepOfEach(steps, 'nodes'),
    edgeStep: stepOfEach(steps, 'edges'),
    largest: Math.max(...edges.map(k => Math.min(size(EDGES[k].share), 1e300)), 0),
    get derivative() {
      return own === null ? usual : told(own)
    },
  }
}

// The steps with their numbers in the whole story; steps in its middle may be left out.
function numbered(kept, count) {
  const left = count - kept.length
  return kept.map(([text, nodes, edges], k) => ({number: k + 1 + (k < kept.length / 2 ? 0 : left), text, nodes, edges}))
}

// The nodes between the output and the parameter.
function wayOf(parameter, steps) {
  const way = new Set([parameter, ...steps.flatMap(step => [...step.nodes, ...step.edges.map(k => EDGES[k].input)])])
  for (let before = 0; before < way.size;) {
    before = way.size
    for (const edge of EDGES) if (way.has(edge.input)) way.add(edge.consumer)
  }
  return way
}

// The step, counted from 1, that states the number of each node or edge.
function stepOfEach(steps, kind) {
  return new Map(steps.flatMap((step, k) => step[kind].map(item => [item, k + 1])))
}

// Whether the reader has reached a step, or the end if no step is given.
function known(step) {
  if (step === undefined) return state.step === flow.steps.length && !asking()
  return step < state.step || (step === state.step && !asking())
}

// Whether the share of an edge has been stated.
function carried(k) {
  return known(flow.edgeStep.get(k)) && (!state.predict || known(flow.nodeStep.get(EDGES[k].input)))
}
