/** The results of a run as a table of groups and a list of failures. */
import { type CaseResult, type ConformanceCase, GROUPS, isBroken } from '@fep-moe/conformance'

/** What a page shows of a run. */
export interface ResultTable {
  /** Starts over, with the cases that are to come. */
  clear(cases: readonly Pick<ConformanceCase, 'group'>[]): void
  add(result: CaseResult): void
}

interface Row {
  readonly cells: readonly HTMLTableCellElement[]
  passed: number
  refused: number
  failed: number
  milliseconds: number
}

/**
 * Makes the table.
 * @param body its rows go here
 * @param failures a section with a list; hidden while nothing has failed
 */
export function createTable(body: HTMLElement, failures: HTMLElement): ResultTable {
  const list = failures.querySelector('ol') as HTMLElement
  const rows = new Map<string, Row>()
  const show = ({ cells, passed, refused, failed, milliseconds }: Row) => {
    const texts = [passed, refused, failed, (milliseconds / 1000).toFixed(1)]
    cells.forEach((cell, i) => {
      cell.textContent = `${texts[i]}`
    })
    cells[2]?.classList.toggle('bad', failed > 0)
  }
  return {
    clear: (cases) => {
      rows.clear()
      body.replaceChildren()
      list.replaceChildren()
      failures.hidden = true
      for (const group of GROUPS) {
        const count = cases.filter((c) => c.group === group).length
        if (count === 0) continue
        const line = document.createElement('tr')
        const head = document.createElement('th')
        head.scope = 'row'
        head.textContent = group
        const cells = Array.from({ length: 5 }, () => {
          const cell = document.createElement('td')
          cell.className = 'number'
          return cell
        })
        ;(cells[0] as HTMLElement).textContent = `${count}`
        line.append(head, ...cells)
        body.append(line)
        const row = { cells: cells.slice(1), passed: 0, refused: 0, failed: 0, milliseconds: 0 }
        rows.set(group, row)
      }
    },
    add: (result) => {
      const row = rows.get(result.group)
      if (!row) return
      if (isBroken(result)) row.failed++
      else if (result.status === 'unsupported-negative') row.refused++
      else row.passed++
      row.milliseconds += result.milliseconds
      show(row)
      if (isBroken(result)) {
        const item = document.createElement('li')
        const id = document.createElement('code')
        id.textContent = result.id
        const text = document.createElement('p')
        text.textContent = result.message
        item.append(id, text)
        list.append(item)
        failures.hidden = false
      }
    },
  }
}
