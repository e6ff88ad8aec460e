// Table 5 of arXiv 2605.00604 for the README's first screen: what each gate gains at the step before the switch, ours beside
// the published figures, and what it gains in gate mass, which the paper does not print.

/** @param {{ summary: readonly { condition: string, metric: string }[], settings: { seeds: readonly number[] } }} results */
export function table5({ summary, settings }) {
  const find = (condition, metric) => summary.find((r) => r.condition === condition && r.metric === metric)
  const rows = summary
    .filter(({ metric }) => metric === 'accuracyTransitionGain')
    .map(({ condition, ours, published, agreement }) => {
      const mass = find(condition, 'massTransitionGain')
      return `| ${[NAMES[condition] ?? condition, gain(ours), gain(published), agreement === 'agrees' ? 'yes' : agreement, gain(mass.ours)].join(' | ')} |`
    })
  const both = find('beta+ant', 'accuracyTransitionInteraction')
  return `| gate | gain in accuracy | paper | agrees | gain in gate mass |
| --- | ---: | ---: | --- | ---: |
${rows.join('\n')}

${settings.seeds.length} seeds, ± one sample standard deviation. β and anticipation together gain ${plain(both.ours.mean)} more than the sum of their single
gains (paper: ${plain(both.published.mean)}).`
}

const NAMES = {
  beta: 'memory β',
  pi: 'precision Π',
  ant: 'anticipation',
  'beta+pi': 'β, Π',
  'beta+ant': 'β, anticipation',
  'pi+ant': 'Π, anticipation',
  'beta+pi+ant': 'β, Π, anticipation',
  oracle: 'oracle (sees the next token)',
}

const plain = (x) => x.toFixed(3).replace(/^(-?)0/, '$1')
const signed = (x) => `${x < 0 ? '−' : '+'}${plain(Math.abs(x))}`
const gain = ({ mean, std }) => `${signed(mean)}${std ? ` ± ${plain(std)}` : ''}`
