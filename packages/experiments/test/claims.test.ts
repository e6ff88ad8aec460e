import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Claim,
  type ClaimCheck,
  experiments,
  findExperiment,
  judgeClaims,
  type Metrics,
  parseClaims,
  parseResults,
  type Results,
} from '../src/index.js'
import { readClaims } from '../src/report/index.js'

const folder = join(import.meta.dirname, '../../../docs/results')
/** The results that are kept in the repository, by experiment. */
const keptFiles = experiments
  .map(({ name }) => ({ experiment: name, path: join(folder, `${name}.json`) }))
  .filter(({ path }) => existsSync(path))
  .map(({ experiment, path }) => ({
    experiment,
    results: parseResults(JSON.parse(readFileSync(path, 'utf8'))),
  }))
const kept = keptFiles.find(({ experiment }) => experiment === 'ablation')?.results as Results
const files = readClaims()

/** What the paper says, by experiment: taking a claim out, or putting one in, is a decision that shows here. */
const COVERED: Readonly<Record<string, readonly string[]>> = {
  ablation: [
    'baseline-probability',
    'combined-probability',
    'ratio',
    'k',
    'ant-alone',
    'beta-alone',
    'beta-ant-gain',
    'interaction',
    'super-additive',
    'oracle-gap',
    'beta-oracle-gap',
    'stateless',
    'irreducible',
    'oracle-ceiling',
    'oracle-bound',
    'pi-neutral',
    'overall-beta',
    'table5-baseline',
    'table5-pi',
    'table5-ant',
    'table5-beta',
    'table5-beta-pi',
    'table5-beta-ant',
    'table5-pi-ant',
    'table5-beta-pi-ant',
    'lightweight',
    'beta-lightweight',
    'gains',
    'predictor-doubles',
    'pi-reduces',
    'beta-necessary',
    'k98',
    'saturation',
    'pi-values',
  ],
  'beta-routing': [
    'task-a',
    'task-b',
    'both-tasks',
    'timescales',
    'decays-a',
    'decays-b',
    'complementary',
    'dominates',
    'no-tuning',
  ],
  'expert-threshold': [
    'load',
    'choice-to-threshold',
    'pool',
    'fanout',
    'batch-independent',
    'loss-expert-choice',
    'loss-token-choice',
    'shared-expert',
    'warm-up-loss',
    'warm-up-downstream',
    'capacity',
    'adaptive-thresholds',
  ],
  'language-model': [
    'bpc-transition-standard',
    'bpc-transition-beta',
    'bpc-gain',
    'bpc-transition-beta-ant',
    'bpc-all',
    'p-b-standard',
    'p-b-beta',
    'p-b-beta-ant',
    'p-b-mid',
    'k',
    'direct-inverts',
    'ant-bpc',
    'gate-stability',
    'beta-mid',
    'beta-bears',
  ],
  overhead: ['beta', 'pi', 'predictor', 'small', 'state-dominates', 'lightweight'],
  'past-the-paper': [
    'fixed',
    'renewal',
    'preset-accuracy',
    'preset-log-loss',
    'geometric',
    'preset-gru',
    'preset-min-gru',
    'forgetting',
  ],
  precision: [
    'static',
    'static-early',
    'shifting',
    'shifting-early',
    'contrast',
    'pi-final',
    'crossover',
    'recovery',
    'table-3',
    'converges',
    'fast',
    'fast-noisy',
  ],
  'routing-entropy': ['mass-baseline', 'mass-combined', 'k'],
  sensitivity: ['higher-beta', 'slower-recovery', 'fixed-beta-recovery'],
  'switching-text': [
    'belief',
    'resonators',
    'resonators-p-b',
    'integrators',
    'membrane',
    'clock-fails',
    'belief-holds',
    'preset-holds',
    'membrane-counts',
  ],
}

describe('the claims of this package', () => {
  it('have ids that differ, over all files', () => {
    const ids = files.flatMap(({ claims }) => claims.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(files.map(({ experiment }) => experiment)).toEqual(experiments.map(({ name }) => name).sort())
  })

  it('cover every figure of the abstract and every statement of sections 3 and 4, and all claims of paper B', () => {
    for (const [experiment, names] of Object.entries(COVERED)) {
      const file = files.find((f) => f.experiment === experiment)
      const known = file?.claims.map(({ id }) => id.slice(experiment.length + 1))
      expect(known, experiment).toEqual(expect.arrayContaining([...names]))
      expect(known?.length, experiment).toBe(names.length)
    }
  })

  const judgeable = keptFiles.flatMap(({ experiment, results }) => {
    const file = files.find((f) => f.experiment === experiment)
    return file ? [[experiment, file, results] as const] : []
  })
  it.each(judgeable)('of %s have the recorded verdicts in the kept run', (name, file, results) => {
    const judged = judgeClaims(file, results, findExperiment(name).metrics)
    const wrong = judged.filter(({ verdict, recorded }) => verdict !== recorded)
    expect(wrong.map(({ id, verdict, checks }) => [id, verdict, checks.map(({ text }) => text)])).toEqual([])
    const open = judged.filter(
      ({ verdict, checks }) => verdict === null || (verdict === 'not tested' && checks.length > 0),
    )
    expect(open).toEqual([])
  })

  it('of experiments without a kept run are not tested', () => {
    const names = keptFiles.map(({ experiment }) => experiment)
    const open = files.filter(({ experiment }) => !names.includes(experiment)).flatMap(({ claims }) => claims)
    expect(open.filter(({ verdict }) => verdict !== 'not tested')).toEqual([])
  })

  it('name metrics that their experiment has', () => {
    for (const { experiment, claims } of files) {
      const metrics = experiments.find(({ name }) => name === experiment)?.metrics
      if (!metrics) continue
      const paths = claims.flatMap(({ checks }) => checks.flatMap(({ ours, than }) => [ours, than]))
      for (const path of paths)
        if (typeof path === 'string' && !path.startsWith('series:'))
          expect(Object.keys(metrics)).toContain(path.split('/')[1])
    }
  })
})

const metrics: Metrics = {
  hits: { label: 'hits', range: [0, 1], measure: 'accuracy' },
  mass: { label: 'mass', range: [0, 1], measure: 'mass' },
}
const results: Results = {
  ...kept,
  summary: [
    ['hits', 0.7, 0.01],
    ['mass', 0.5, 0.01],
    ['wild', 0.5, 0.9],
  ].map(([metric, mean, std]) => ({
    condition: 'c',
    metric: String(metric),
    published: null,
    ours: { mean: Number(mean), std: Number(std), n: 5 },
    difference: null,
    tolerance: null,
    agreement: null,
  })),
  bounds: [{ name: 'best', metric: 'hits', value: 0.7 }],
}
const published = (mean: number) => ({ mean, std: 0.01, n: 5, source: 'paper' }) as const
const agrees = (ours: string, mean: number, measure: ClaimCheck['measure']): ClaimCheck => ({
  measure,
  ours,
  rule: 'agrees',
  published: published(mean),
})
const claim = (...checks: ClaimCheck[]): Claim => ({
  id: 'ablation.test',
  section: 'somewhere',
  statement: 'something',
  checks,
  verdict: 'holds',
  because: 'Recorded.',
})
const verdictOf = (...checks: ClaimCheck[]) =>
  judgeClaims({ experiment: 'ablation', source: 's', claims: [claim(...checks)] }, results, {
    ...metrics,
    wild: { label: 'wild', range: [0, 1] },
  })[0]

describe('a verdict', () => {
  const other = (
    ours: string,
    rule: 'equals' | 'above' | 'below' | 'steadier',
    than: string | number,
  ): ClaimCheck => ({
    measure: 'other',
    ours,
    rule,
    than,
  })
  it.each<[string, ClaimCheck[], string | null]>([
    ['all checks pass', [agrees('c/hits', 0.7, 'accuracy'), agrees('c/mass', 0.5, 'mass')], 'holds'],
    [
      'the mass is not what was said',
      [agrees('c/hits', 0.7, 'accuracy'), agrees('c/mass', 0.7, 'mass')],
      'holds for accuracy only',
    ],
    ['only a mass was said, and is wrong', [agrees('c/mass', 0.7, 'mass')], 'differs'],
    ['the accuracy is wrong', [agrees('c/hits', 0.6, 'accuracy'), agrees('c/mass', 0.5, 'mass')], 'differs'],
    ['the spread covers the range', [agrees('c/wild', 0.5, 'other')], 'not decidable'],
    ['it equals a bound', [other('c/hits', 'equals', 'bound:best/hits')], 'holds'],
    ['it is above', [other('c/hits', 'above', 'c/mass')], 'holds'],
    ['it is above by less than the spread', [other('c/hits', 'above', 0.69)], 'differs'],
    ['it is below', [other('c/mass', 'below', 0.6)], 'holds'],
    ['it is not below', [other('c/hits', 'below', 'c/mass')], 'differs'],
    ['it spreads less', [other('c/hits', 'steadier', 'c/wild')], 'holds'],
    ['it spreads as much', [other('c/hits', 'steadier', 'c/mass')], 'differs'],
    ['a series has it', [other('series:baseline/accuracy@0', 'above', 0.5)], 'holds'],
    ['a series is too short', [other('series:baseline/accuracy@99', 'above', 0.5)], null],
    ['a figure is missing', [agrees('d/hits', 0.7, 'accuracy')], null],
    ['a bound is missing', [other('c/hits', 'equals', 'bound:worst/hits')], null],
    ['nothing measures it', [], 'not tested'],
  ])('where %s', (_, checks, verdict) => {
    expect(verdictOf(...checks)?.verdict).toBe(verdict)
  })

  it('is explained: by its own sentence where it is the recorded one, else by what was found', () => {
    expect(verdictOf(agrees('c/hits', 0.7, 'accuracy'))?.sentence).toBe('Recorded.')
    expect(verdictOf(agrees('c/hits', 0.6, 'accuracy'))?.sentence).toBe(
      'Found: c hits 0.700±0.010 differs by more than 0.019 from published 0.600±0.010.',
    )
  })

  it('does not take one run for a direction, and writes bounds as JSON', () => {
    const single = {
      ...results,
      summary: results.summary.map((r) => ({ ...r, ours: { ...r.ours, std: null, n: 1 } })),
    }
    const file = (check: ClaimCheck) => ({ experiment: 'ablation', source: 's', claims: [claim(check)] })
    expect(judgeClaims(file(other('c/hits', 'above', 0.1)), single, metrics)[0]?.verdict).toBe(
      'not decidable',
    )
    const [bound] = judgeClaims(file(other('bound:best/hits', 'above', 0.1)), single, metrics)
    expect(JSON.parse(JSON.stringify(bound))).toMatchObject({
      verdict: 'holds',
      checks: [{ value: { mean: 0.7, std: 0, n: 1 }, text: 'the bound best 0.7 is above 0.1' }],
    })
  })

  it('takes one count for all of them', () => {
    const single = {
      ...results,
      summary: results.summary.map((r) => ({ ...r, ours: { ...r.ours, std: null, n: 1 } })),
    }
    const file = {
      experiment: 'ablation',
      source: 's',
      claims: [claim(other('c/hits', 'below', 'c/mass')), claim(other('c/mass', 'below', 'c/hits'))],
    }
    const exact: Metrics = Object.fromEntries(
      Object.entries(metrics).map(([name, metric]) => [name, { ...metric, exact: true }]),
    )
    expect(judgeClaims(file, single, exact).map(({ verdict }) => verdict)).toEqual(['differs', 'holds'])
  })

  it('says where the published figure is one run', () => {
    const one: ClaimCheck = {
      ...agrees('c/hits', 0.71, 'accuracy'),
      published: { ...published(0.71), std: null, n: 1 },
    }
    expect(verdictOf(one)?.checks[0]?.text).toMatch(/agrees within 0\.030 with published 0\.710, one run$/)
  })

  it('is «not tested» without results, and after a quick run', () => {
    const file = { experiment: 'ablation', source: 's', claims: [claim(agrees('c/hits', 0.7, 'accuracy'))] }
    expect(judgeClaims(file, null)[0]).toMatchObject({
      verdict: 'not tested',
      sentence: 'The experiment was not run.',
    })
    const quick = { ...results, settings: { ...results.settings, quick: true } }
    expect(judgeClaims(file, quick, metrics)[0]).toMatchObject({
      verdict: 'not tested',
      sentence: 'A quick run decides nothing.',
    })
  })
})

describe('a file of claims that is wrong', () => {
  const good = {
    experiment: 'e',
    source: 's',
    claims: [{ ...claim(agrees('c/hits', 0.7, 'accuracy')), id: 'e.one' }],
  }
  const change = (fields: object) => ({ ...good, claims: [{ ...good.claims[0], ...fields }] })
  const check = good.claims[0]?.checks[0]
  it.each<[string, unknown, string]>([
    ['no object', [], 'claims'],
    ['an unknown key', { ...good, extra: 1 }, 'claims.extra is unknown'],
    ['no claims', { experiment: 'e', source: 's' }, 'claims.claims is missing'],
    ['an id of another experiment', change({ id: 'f.one' }), "claims.claims.0.id is 'f.one'"],
    ['an id twice', { ...good, claims: [good.claims[0], good.claims[0]] }, 'claims.claims.1.id'],
    ['an empty statement', change({ statement: '' }), 'claims.claims.0.statement'],
    ['an unknown verdict', change({ verdict: 'perhaps' }), 'claims.claims.0.verdict'],
    ['a verdict without checks', change({ checks: [] }), 'claims.claims.0.verdict'],
    ['an unknown rule', change({ checks: [{ ...check, rule: 'is' }] }), 'claims.claims.0.checks.0.rule'],
    [
      'a path without metric',
      change({ checks: [{ ...check, ours: 'hits' }] }),
      'claims.claims.0.checks.0.ours',
    ],
    [
      'nothing published',
      change({ checks: [{ ...check, published: undefined }] }),
      'claims.claims.0.checks.0.published is missing',
    ],
    [
      'no run at all',
      change({ checks: [{ ...check, published: { ...published(1), n: 0 } }] }),
      'claims.claims.0.checks.0.published.n is 0',
    ],
    [
      'a spread below zero',
      change({ checks: [{ ...check, published: { ...published(1), std: -1 } }] }),
      'claims.claims.0.checks.0.published.std is -1',
    ],
  ])('%s', (_, value, message) => {
    const parse = () => parseClaims(value)
    expect(parse).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
    expect(parse).toThrow(message)
  })

  const folder = mkdtempSync(join(tmpdir(), 'fep-moe-claims-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  it('on disk is named', () => {
    writeFileSync(join(folder, 'a.json'), '{"experiment":')
    expect(() => readClaims(folder)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
    writeFileSync(join(folder, 'a.json'), '{}')
    expect(() => readClaims(folder)).toThrow(/^a\.json\.experiment is missing/)
    rmSync(join(folder, 'a.json'))
    mkdirSync(join(folder, 'b.json'))
    expect(() => readClaims(folder)).toThrow(expect.objectContaining({ code: 'FEP_IO' }))
    expect(() => readClaims(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'FEP_IO' }))
  })
})
