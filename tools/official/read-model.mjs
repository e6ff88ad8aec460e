// Official node tests as they lie in the onnx package: model.onnx and tensors in protobuf files. Read with the messages
// that @fep-moe/onnx writes with; what those leave out (typed element lists) is picked from the unknown fields.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../scripts/setup.mjs'

const onnxPackage = join(root, 'packages/onnx')
const { resolve } = createRequire(join(onnxPackage, 'package.json'))
const { fromBinary } = await import(pathToFileURL(resolve('@bufbuild/protobuf')).href)
const { BinaryReader } = await import(pathToFileURL(resolve('@bufbuild/protobuf/wire')).href)
const messages = await import(pathToFileURL(join(onnxPackage, 'dist/proto/onnx_pb.js')).href)

/** ONNX's element types by number. */
export const ELEMENT_TYPES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
]

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
}

/** TensorProto's typed element lists: field number and how one element is read. */
const TYPED = {
  float32: [4, (reader) => reader.float()],
  int32: [5, (reader) => reader.int32()],
  bool: [5, (reader) => reader.int32()],
  int64: [7, (reader) => BigInt(reader.int64())],
  float64: [10, (reader) => reader.double()],
}

/** Elements of a TensorProto; `data` is undefined for element types that our graphs lack. */
export function readTensor(proto) {
  const type = ELEMENT_TYPES[proto.dataType]
  const shape = proto.dims.map(Number)
  const ArrayType = ARRAYS[type]
  if (!ArrayType) return { type, shape, data: undefined }
  const length = shape.reduce((n, d) => n * d, 1)
  // Copied: raw bytes may start anywhere.
  const data = proto.rawData?.length
    ? new ArrayType(Uint8Array.from(proto.rawData).buffer)
    : ArrayType.from(typedElements(proto, ...TYPED[type]))
  if (data.length !== length) throw new Error(`${proto.name}: ${data.length} elements for (${shape})`)
  return { type, shape, data }
}

function typedElements(proto, field, read) {
  const elements = []
  for (const { no, wireType, data } of proto.$unknown ?? []) {
    if (no !== field) continue
    const reader = new BinaryReader(data)
    const end = wireType === 2 ? reader.uint32() + reader.pos : data.length
    while (reader.pos < end) elements.push(read(reader))
  }
  return elements
}

/** @returns the model, and its tensors by the names of the graph's inputs and outputs */
export function readFolder(folder) {
  const model = fromBinary(messages.ModelProtoSchema, readFileSync(join(folder, 'model.onnx')))
  const sets = readdirSync(folder).filter((name) => name.startsWith('test_data_set_'))
  if (sets.length !== 1) throw new Error(`${folder}: ${sets.length} data sets, expected one`)
  const data = join(folder, sets[0])
  const open = (kind, ports) => {
    const read = ({ name, type }, i) => {
      // Sequences and optionals have no tensor type, and are no tensors.
      if (type?.value?.case !== 'tensorType') return [name, { type: 'no tensor', shape: [], data: undefined }]
      const file = join(data, `${kind}_${i}.pb`)
      if (!existsSync(file)) throw new Error(`${file} is missing`)
      return [name, readTensor(fromBinary(messages.TensorProtoSchema, readFileSync(file)))]
    }
    return new Map(ports.map(read))
  }
  const { graph } = model
  const opset = Number(model.opsetImport.find(({ domain }) => !domain)?.version ?? 0)
  return { graph, opset, inputs: open('input', graph.input), outputs: open('output', graph.output) }
}

const KIND = messages.AttributeProto_AttributeType

/** Attributes as numbers, strings, lists, `{ proto }` for a tensor, `{ graph }` for a body. */
export function readAttributes(node) {
  const value = (a) => {
    switch (a.type) {
      case KIND.FLOAT:
        return a.f
      case KIND.INT:
        return Number(a.i)
      case KIND.STRING:
        return new TextDecoder().decode(a.s)
      case KIND.TENSOR:
        return { proto: a.t }
      case KIND.GRAPH:
        return { graph: a.g }
      case KIND.FLOATS:
        return [...a.floats]
      case KIND.INTS:
        return a.ints.map(Number)
      default:
        throw new Error(`attribute ${a.name} of ${node.opType} has type ${a.type}`)
    }
  }
  return Object.fromEntries(node.attribute.map((a) => [a.name, value(a)]))
}

/** True where two folders hold the same tensors, byte for byte. */
export function sameData(a, b) {
  const files = (folder) =>
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.pb'))
      .sort()
  const [own, other] = [files(a), files(b)]
  return (
    own.join() === other.join() &&
    own.every((name) => readFileSync(join(a, name)).equals(readFileSync(join(b, name))))
  )
}
