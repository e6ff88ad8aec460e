/** Ratios to a peer: what its lines say, and what they are held against. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Comparable, type PeerLine, peerFigure, readPeer, withPeer } from '../src/bench/peer.js'
import { fepMoe, scratchFolder } from './command.js'

const area = scratchFolder()
const file = (name: string, text: string) => {
  const path = join(area.path, name)
  writeFileSync(path, text)
  return path
}
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

describe('a file of a peer', () => {
  it('is JSON lines; a training step of no named experiment is the ablation’s', () => {
    const train = { what: 'train', condition: 'beta', p50_us: 10, p99_us: 12, mean_us: 11 }
    const stream = { what: 'stream', d: 16, experts: 4, p50_us: 50 }
    expect(readPeer(file('good', `${lines(train)}\n${lines(stream)}`))).toEqual([
      { experiment: 'ablation', ...train },
      stream,
    ])
    expect(readPeer(file('empty', ''))).toEqual([])
  })

  it.each<[string, string, string]>([
    ['no JSON', `${lines({ what: 'route' })}p50 12\n`, 'line 2'],
    ['a list', '[1]\n', 'what'],
    ['no `what`', lines({ p50_us: 1 }), 'what'],
    ['a field of another kind', lines({ what: 'route', size: {} }), 'size'],
  ])('%s', (name, text, where) => {
    const path = file(name.replaceAll(/\W/g, '-'), text)
    expect(() => readPeer(path)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
    expect(() => readPeer(path)).toThrow(where)
  })

  it('that is not there', () => {
    expect(() => readPeer(join(area.path, 'none'))).toThrow(expect.objectContaining({ code: 'FEP_IO' }))
  })
})

describe('a figure of the peer', () => {
  const peer: PeerLine[] = [
    { what: 'stream', d: 16, experts: 4, p50_us: 50 },
    { what: 'stream', d: 64, experts: 8, p50_us: 70 },
    { what: 'route', flop: 1, p50_us: 9 },
    { what: 'memory', executor: 'js', rss_mb: [1, 2, 4] },
    { what: 'train', experiment: 'ablation', condition: 'beta', p50_us: 0 },
  ]
  const of = (what: string, identity = {}, field = 'p50_us') => peerFigure(peer, { what, identity, field })

  it('is that of the line whose fields are ours; the latest of a list', () => {
    expect(of('stream', { d: 64, experts: 8 })).toBe(70)
    expect(of('route', { batch: 8, dim: 512 })).toBe(9)
    expect(of('memory', { executor: 'js' }, 'rss_mb')).toBe(4)
  })

  it('is none where nothing is meant, or nothing was measured', () => {
    expect(of('stream', { d: 256, experts: 64 })).toBeUndefined()
    expect(of('layer')).toBeUndefined()
    expect(of('route', {}, 'heap_mb')).toBeUndefined()
    expect(of('train', { experiment: 'ablation', condition: 'beta' })).toBeUndefined()
    expect(of('train', { experiment: 'language-model', condition: 'beta' })).toBeUndefined()
  })

  it('goes into two columns, with the ratio ours / peer', () => {
    const table = { title: 't', columns: ['d', 'p50'], rows: [['16'], ['256']] }
    const row = (d: number): Comparable[] => [
      { value: 25, peer: [{ what: 'stream', identity: { d }, field: 'p50_us' }], digits: 1 },
    ]
    const joined = withPeer(table, peer, ['p50 µs'], [row(16), row(256)])
    expect(joined.columns).toEqual(['d', 'p50', 'peer p50 µs', 'ratio'])
    expect(joined.rows).toEqual([
      ['16', '50.0', '0.50'],
      ['256', '', ''],
    ])
    expect(joined.notes).toEqual(['ratio: ours / peer; below 1 ours is less.'])
    expect(withPeer(table, peer, ['p50 µs'], [row(1), row(2)]).notes).toEqual([
      'The peer has measured nothing of this.',
    ])
    expect(withPeer(table, undefined, ['p50 µs'], [])).toBe(table)
  })
})

describe('fep-moe bench --peer', () => {
  const bench = (line: string) => fepMoe(['bench', ...line.split(' ')], { cwd: area.path })

  it('takes another run of the same command as its peer', async () => {
    const parts = [
      'train --steps 2 --condition beta',
      'train --experiment precision --steps 2 --condition static-affinity',
      'stream --steps 2',
    ]
    for (const part of parts) {
      const { stdout: json } = await bench(`${part} --json`)
      const path = file('own.jsonl', json)
      const { status, stdout } = await bench(`${part} --peer ${path}`)
      expect(status).toBe(0)
      expect(stdout).toMatch(/peer p50 µs +ratio$/m)
      expect(stdout).toContain('ratio: ours / peer; below 1 ours is less.')
      expect(stdout).toMatch(/\d\.\d+$/m)
    }
  })

  it('meets the lines of a peer in another language', async () => {
    const torch = lines({ what: 'train', condition: 'beta', p50_us: 1, p99_us: 1, mean_us: 1 })
    const path = file('torch.jsonl', torch)
    const { stdout } = await bench(`train --steps 1 --condition baseline,beta --peer ${path}`)
    expect(stdout).toMatch(/^beta .* 1 +\S+$/m)
    expect(stdout).toMatch(/^baseline +\d+ +\d+ +\d+ +\d+ +\d+\.\d$/m)
  })

  it('is read before anything is timed', async () => {
    for (const part of ['train', 'stream', 'route', 'executors', 'memory']) {
      const { status, stdout, stderr } = await bench(`${part} --peer nowhere.jsonl`)
      expect(stderr).toMatch(/^error FEP_IO: cannot read --peer nowhere\.jsonl/)
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    }
  })
})
