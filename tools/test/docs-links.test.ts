/** Links between pages, and figures that name the run they come from. */
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { figuresIn, isRounded } from './docs/figures.js'
import { anchors, links, pagesIn, read, root } from './docs/markdown.js'

const pages = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs'), ...pagesIn('docs/mechanisms')]

describe.each(pages)('%s', (page) => {
  it('links to what there is', () => {
    const broken = links(read(page))
      .map(({ target }) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file, anchor] = target.split('#') as [string, string?]
        const path = file === '' ? page : normalize(join(dirname(page), file))
        if (!existsSync(join(root, path))) return true
        return anchor !== undefined && !anchors(read(path)).includes(anchor)
      })
    expect(broken).toEqual([])
  })

  it('prints figures as the kept results have them', () => {
    expect(figuresIn(read(page)).filter((figure) => !isRounded(figure))).toEqual([])
  })
})

it('a figure from nowhere is found out', () => {
  const [right, wrong, unknown] = figuresIn(
    '.0069 (`ablation/beta/accuracyNowhere`), .29 ± .01 (`ablation/beta/accuracyTransition`), 3 (`a/b/c`)',
  ).map(isRounded)
  expect([right, wrong, unknown]).toEqual([false, false, false])
  expect(figuresIn('.30 (`ablation/beta/accuracyTransition`)').map(isRounded)).toEqual([true])
})
