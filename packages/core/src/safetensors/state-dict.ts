/** Parameters from files that others made: PyTorch state dicts, with names of their own where a map says which. */
import { FepError, show } from '../errors.js'
import { checkParams, type ParameterSpec, type Params } from '../gates/parameters.js'
import type { Tensor } from '../tensor.js'
import { readsAs } from './dtypes.js'
import type { SafetensorsFile } from './read.js'

/**
 * Names in a file by names here: a parameter (`W.weight`), or what stands before a dot in several (`predictor`).
 * @example { 'W.weight': 'model.layers.3.mlp.gate.weight' }
 * @example { W: 'model.layers.3.mlp.gate', predictor: 'model.layers.3.mlp.predictor' }
 */
export type NameMap = Readonly<Record<string, string>>

/** Options of {@link readParams}. */
export interface ReadParamsOptions {
  /** Parameters that it does not name keep their names. */
  readonly map?: NameMap
  /** Refuse tensors that no parameter takes, as `load_state_dict` does. Default: only where there is no map. */
  readonly strict?: boolean
}

/** The name of a parameter in a file: mapped whole, or the longest prefix that ends at a dot, or as it is. */
export function mappedName(name: string, map: NameMap = {}): string {
  for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
    const key = name.slice(0, end)
    if (Object.hasOwn(map, key)) return `${map[key]}${name.slice(end)}`
  }
  return name
}

/** Parameters under the names that a map gives them, ready to be written. @throws FEP_BAD_ARGUMENT */
export function renameParams(params: Params, map: NameMap): Params {
  checkMap(Object.keys(params), map)
  return Object.fromEntries(Object.entries(params).map(([name, t]) => [mappedName(name, map), t]))
}

/**
 * Reads the parameters of a gate, or of anything else that lists its parameters. Shapes are compared before any data are
 * read, so one router is taken out of a large checkpoint at the cost of one router.
 * @param specs `gate.params`
 * @throws FEP_BAD_PARAMS where one is missing, has another shape, is no float, is not finite, or is not expected;
 *   FEP_BAD_ARGUMENT for a map that names no parameter, or one tensor twice
 * @example
 * const gate = createGate({ dim: 2048, experts: 64, bias: false, select: { kind: 'top-k', k: 8 } })
 * const file = await openSafetensors(bytes)
 * const params = await readParams(gate.params, file, { map: { W: 'model.layers.3.mlp.gate' } })
 */
export async function readParams(
  specs: readonly ParameterSpec[],
  file: SafetensorsFile,
  { map = {}, strict = Object.keys(map).length === 0 }: ReadParamsOptions = {},
): Promise<Params> {
  const names = specs.map(({ name }) => name)
  checkMap(names, map)
  const sources = specs.map((spec) => ({ spec, source: mappedName(spec.name, map) }))
  for (const { spec, source } of sources) checkStored(spec, source, file)
  if (strict) {
    const taken = new Set(sources.map(({ source }) => source))
    const extra = [...file.tensors.keys()].find((name) => !taken.has(name))
    if (extra !== undefined)
      throw new FepError(
        'FEP_BAD_PARAMS',
        `${file.name} has ${show(extra)}, which is no parameter here; the parameters are ${names.join(', ')}`,
      )
  }
  const params: [string, Tensor][] = []
  for (const { spec, source } of sources) {
    const t = await file.read(source)
    const at = (t.data as Float32Array).findIndex((x) => !Number.isFinite(x))
    if (at >= 0)
      throw new FepError(
        'FEP_BAD_PARAMS',
        `${file.name}: element ${at} of ${show(source)} is ${t.data[at]}; accepted: finite numbers`,
      )
    params.push([spec.name, { ...t, shape: spec.shape }])
  }
  const found = Object.fromEntries(params)
  checkParams(specs, found)
  return found
}

function checkStored({ name, shape }: ParameterSpec, source: string, file: SafetensorsFile): void {
  const stored = file.tensors.get(source)
  const want = `float(${shape.join(', ')})`
  const called = source === name ? `'${name}'` : `'${name}', called ${show(source)},`
  if (!stored) {
    const fitting = [...file.tensors].filter((entry) => entry[1].shape.join() === shape.join())
    const list = fitting.slice(0, 4).map(([key]) => key)
    throw new FepError(
      'FEP_BAD_PARAMS',
      `${file.name}: parameter ${called} is missing; expected ${want}` +
        (list.length > 0 ? `. Of this shape: ${list.join(', ')}${fitting.length > 4 ? ', …' : ''}` : ''),
    )
  }
  const dtype = readsAs(stored.dtype)
  if (stored.shape.join() !== shape.join() || (dtype !== undefined && dtype !== 'float32'))
    throw new FepError(
      'FEP_BAD_PARAMS',
      `${file.name}: parameter ${called} is ${stored.dtype}(${stored.shape.join(', ')}); expected ${want}`,
    )
}

function checkMap(names: readonly string[], map: NameMap): void {
  for (const key of Object.keys(map)) {
    if (!names.some((name) => name === key || name.startsWith(`${key}.`)))
      throw new FepError(
        'FEP_BAD_ARGUMENT',
        `the map names ${show(key)}; the parameters are ${names.join(', ')}`,
      )
    if (typeof map[key] !== 'string' || map[key] === '')
      throw new FepError('FEP_BAD_ARGUMENT', `the map gives ${show(key)} the name ${show(map[key])}`)
  }
  const mapped = names.map((name) => mappedName(name, map))
  const twice = mapped.find((name, i) => mapped.indexOf(name) !== i)
  if (twice !== undefined)
    throw new FepError('FEP_BAD_ARGUMENT', `the map gives two parameters the name ${show(twice)}`)
}
