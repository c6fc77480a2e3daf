import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  type AttributeName,
  attributeKinds,
  type Constant,
  elementTypes,
  type Node,
  OnnxGraph,
  type Port,
} from './onnx-graph.ts';

/** Where a constant's values lie in the data file beside the graph, in bytes. */
export interface ExternalData {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** Values inside the graph file, or a place in a data file. */
export type ConstantData = Uint8Array | ExternalData;

/** That of ONNX 1.16, which ONNX Runtime reads since 1.18. */
const irVersion = 10;

// Field and enum numbers below are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
const attributeTypes = { float: 1, int: 2, graph: 5, ints: 7 } as const;
const externalLocation = 1;

/**
 * Encodes a graph as an ONNX ModelProto. Same graph, same bytes.
 *
 * @param data of the constants of the graph and of those inside it, by their names
 */
export function encodeOnnx(graph: OnnxGraph, data: ReadonlyMap<string, ConstantData>): Uint8Array {
  const model = new BinaryWriter();
  integer(model, 1, irVersion);
  text(model, 2, 'captionfleet');
  message(model, 7, () => writeGraph(model, graph, data));
  for (const [domain, version] of Object.entries({ '': graph.operatorSet, 'com.microsoft': 1 })) {
    message(model, 8, () => {
      text(model, 1, domain);
      integer(model, 2, version);
    });
  }
  return model.finish();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph, data: ReadonlyMap<string, ConstantData>): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node, data));
  text(writer, 2, graph.name);
  for (const constant of graph.constants.values()) {
    const values = data.get(constant.name);
    if (values === undefined) throw new Error(`no data for constant ${constant.name}`);
    message(writer, 5, () => writeTensor(writer, constant, values));
  }
  for (const port of graph.inputs) message(writer, 11, () => writePort(writer, port));
  for (const port of graph.outputs) message(writer, 12, () => writePort(writer, port));
}

function writeNode(writer: BinaryWriter, node: Node, data: ReadonlyMap<string, ConstantData>): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.outputs[0] ?? '');
  text(writer, 4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, () => writeAttribute(writer, name as AttributeName, value, data));
  }
  if (node.domain !== '') text(writer, 7, node.domain);
}

function writeAttribute(
  writer: BinaryWriter,
  name: AttributeName,
  value: number | readonly number[] | OnnxGraph,
  data: ReadonlyMap<string, ConstantData>,
): void {
  const kind = attributeKinds[name];
  text(writer, 1, name);
  if (value instanceof OnnxGraph) message(writer, 6, () => writeGraph(writer, value, data));
  else if (typeof value !== 'number') for (const item of value) integer(writer, 8, item);
  else if (kind === 'float') writer.tag(2, WireType.Bit32).float(value);
  else integer(writer, 3, value);
  integer(writer, 20, attributeTypes[kind]);
}

function writeTensor(writer: BinaryWriter, constant: Constant, data: ConstantData): void {
  for (const size of constant.shape) integer(writer, 1, size);
  integer(writer, 2, elementTypes[constant.elementType].code);
  text(writer, 8, constant.name);
  if (data instanceof Uint8Array) {
    writer.tag(9, WireType.LengthDelimited).bytes(data);
    return;
  }
  const place = { location: data.file, offset: String(data.offset), length: String(data.length) };
  for (const [key, value] of Object.entries(place)) {
    message(writer, 13, () => {
      text(writer, 1, key);
      text(writer, 2, value);
    });
  }
  integer(writer, 14, externalLocation);
}

/** ValueInfoProto { name, TypeProto { Tensor { elem_type, TensorShapeProto { Dimension } } } } */
function writePort(writer: BinaryWriter, { name, elementType, shape }: Port): void {
  text(writer, 1, name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      integer(writer, 1, elementTypes[elementType].code);
      message(writer, 2, () => {
        for (const dimension of shape) {
          message(writer, 1, () =>
            typeof dimension === 'number' ? integer(writer, 1, dimension) : text(writer, 2, dimension),
          );
        }
      });
    }),
  );
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}
