/** Plain values to ONNX protobuf messages: attributes, literals, typed names. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Dim, DType, Shape, ValueInfo } from '@fep-moe/core'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type TensorShapeProto_DimensionSchema,
  type ValueInfoProtoSchema,
} from '../proto/onnx_pb.js'

/** A message under construction. */
export type NodeInit = MessageInitShape<typeof NodeProtoSchema>
export type GraphInit = MessageInitShape<typeof GraphProtoSchema>
export type TensorInit = MessageInitShape<typeof TensorProtoSchema>
export type ValueInfoInit = MessageInitShape<typeof ValueInfoProtoSchema>
type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>

/** ONNX needs int64 inside (shapes, split sizes, indices); it never reaches a graph's surface. */
export type OnnxType = DType | 'int64'

/** ONNX's number for an element type. */
export const DATA_TYPE: Readonly<Record<OnnxType, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  int64: DataType.INT64,
  bool: DataType.BOOL,
}

/** An attribute value: an int, ints, a string, a float, a nested graph. Element types are ints (`DATA_TYPE`). */
export type Attr =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly graph: GraphInit }

/** Encodes one attribute. */
export function attribute(name: string, value: Attr): AttributeInit {
  if (typeof value === 'number') return { name, i: BigInt(value), type: AttributeType.INT }
  if (typeof value === 'string')
    return { name, s: new TextEncoder().encode(value), type: AttributeType.STRING }
  if ('float' in value) return { name, f: value.float, type: AttributeType.FLOAT }
  if ('graph' in value) return { name, g: value.graph, type: AttributeType.GRAPH }
  return { name, ints: value.map(BigInt), type: AttributeType.INTS }
}

/** Encodes a literal. Doubles are rounded to the element type. */
export function literal(
  name: string,
  type: OnnxType,
  dims: readonly number[],
  data: ArrayLike<number>,
): TensorInit {
  return { name, dims: dims.map(BigInt), dataType: DATA_TYPE[type], rawData: littleEndian(type, data) }
}

const WIDTH: Readonly<Record<OnnxType, number>> = { float32: 4, int32: 4, int64: 8, bool: 1 }

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function littleEndian(type: OnnxType, data: ArrayLike<number>): Uint8Array {
  if (type === 'float32' && data instanceof Float32Array && LITTLE_ENDIAN)
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const width = WIDTH[type]
  const bytes = new Uint8Array(data.length * width)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    if (type === 'float32') view.setFloat32(i * width, value, true)
    else if (type === 'int32') view.setInt32(i * width, value, true)
    else if (type === 'int64') view.setBigInt64(i * width, BigInt(value), true)
    else bytes[i] = value === 0 ? 0 : 1
  }
  return bytes
}

/** A typed name. `batch` and its multiples become named dimensions. */
export function valueInfo(name: string, { dtype, shape }: ValueInfo): ValueInfoInit {
  const tensor = { elemType: DATA_TYPE[dtype], shape: { dim: dimensions(shape) } }
  return { name, type: { value: { case: 'tensorType', value: tensor } } }
}

const dimensions = (shape: Shape) => shape.map(dimension)

function dimension(dim: Dim): MessageInitShape<typeof TensorShapeProto_DimensionSchema> {
  return typeof dim === 'number'
    ? { value: { case: 'dimValue', value: BigInt(dim) } }
    : { value: { case: 'dimParam', value: dim } }
}
