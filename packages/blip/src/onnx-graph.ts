/** Element types of values and constants; `code` is their number in onnx.proto3's TensorProto.DataType. */
export const elementTypes = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
} as const;
export type ElementType = keyof typeof elementTypes;
/** What a part of a graph may compute in. */
export type FloatType = 'float32' | 'float16';

/** A value that flows through the graph, by name. */
export type Value = string & { readonly __brand: 'onnx value' };

/** An input that an operator does without. */
export const none = '' as Value;

/**
 * A constant. Its shape is known while the graph is built; `read` gives its row-major values later, when the weights
 * are written, so that one tensor at a time is in memory. Constants of one name are one constant.
 */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elementType: ElementType;
  read(): Promise<Float32Array | Float16Array | BigInt64Array | Int8Array | Uint8Array>;
}

/** A number is a fixed size, a name one that each run chooses. */
export type Dimension = number | string;

export interface Port {
  readonly name: string;
  readonly elementType: ElementType;
  readonly shape: readonly Dimension[];
}

/** The attributes that our operators take, with their kind in onnx.proto3's AttributeProto. */
export const attributeKinds = {
  axis: 'int',
  body: 'graph',
  epsilon: 'float',
  end: 'int',
  keepdims: 'int',
  num_heads: 'int',
  num_outputs: 'int',
  perm: 'ints',
  start: 'int',
  to: 'int',
  transB: 'int',
} as const;
export type AttributeName = keyof typeof attributeKinds;
interface AttributeValues {
  readonly float: number;
  readonly graph: OnnxGraph;
  readonly int: number;
  readonly ints: readonly number[];
}
export type Attributes = { readonly [Name in AttributeName]?: AttributeValues[(typeof attributeKinds)[Name]] };

/** '' is ONNX's own operator set; com.microsoft holds those that ONNX Runtime adds. */
export type Domain = '' | 'com.microsoft';

export interface Node {
  readonly operator: string;
  readonly domain: Domain;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** The version of ONNX's operator set that graphs use: that of ONNX 1.16, which ONNX Runtime reads since 1.18. */
const defaultOperatorSet = 21;

interface Relation {
  /** The float32 graph that this is in float16. */
  readonly of?: OnnxGraph;
  /** The graph around this one. */
  readonly inside?: OnnxGraph;
}

/** Collects the nodes, constants and ports of one ONNX graph in the order in which they run. */
export class OnnxGraph {
  readonly name: string;
  /** Version of ONNX's own operators. */
  readonly operatorSet: number;
  readonly nodes: Node[];
  readonly inputs: Port[];
  readonly outputs: Port[];
  readonly constants: Map<string, Constant>;
  /** What the float32 constants that it is given are stored as. */
  readonly floatType: FloatType;
  readonly #exact: OnnxGraph;
  /** Values that were named, here and in the graphs around and inside: each has a name of its own. */
  readonly #named: { count: number };
  /** What the names of constants begin with, for the same reason. */
  readonly #prefix: string;

  constructor(name: string, operatorSet = defaultOperatorSet, { of, inside }: Relation = {}) {
    this.name = name;
    this.operatorSet = operatorSet;
    this.nodes = of?.nodes ?? [];
    this.inputs = of?.inputs ?? [];
    this.outputs = of?.outputs ?? [];
    this.constants = of?.constants ?? new Map();
    this.floatType = of === undefined ? 'float32' : 'float16';
    this.#exact = of ?? this;
    const relative = of ?? inside;
    this.#named = relative === undefined ? { count: 0 } : relative.#named;
    const prefix = relative === undefined ? '' : relative.#prefix;
    this.#prefix = inside === undefined ? prefix : `${prefix}${name}/`;
  }

  /** The same graph for parts of it that compute in `type`. */
  as(type: FloatType): OnnxGraph {
    if (type === this.floatType) return this;
    return type === 'float32' ? this.#exact : new OnnxGraph(this.name, this.operatorSet, { of: this });
  }

  /** A graph that an operator of this one runs. It may use the values of this one that are there before that operator. */
  subgraph(name: string): OnnxGraph {
    return new OnnxGraph(name, this.operatorSet, { inside: this.#exact });
  }

  input(port: Port): Value {
    this.inputs.push(port);
    return port.name as Value;
  }

  /** Gives a value to the caller of the graph under the port's name; a value of another name is copied. */
  output(port: Port, value: Value): void {
    this.outputs.push(port);
    if (value !== port.name) this.operator('Identity', [value], {}, port.name);
  }

  constant(constant: Constant): Value {
    const { name, ...stored } = this.floatType === 'float16' ? toFloat16(constant) : constant;
    const ownName = `${this.#prefix}${name}`;
    this.constants.set(ownName, { name: ownName, ...stored });
    return ownName as Value;
  }

  /** A float32 value in the type that this graph computes in. */
  enter(value: Value): Value {
    if (this.floatType === 'float32') return value;
    return this.operator('Cast', [value], { to: elementTypes[this.floatType].code });
  }

  /** A value in the type that this graph computes in, as float32. */
  leave(value: Value): Value {
    if (this.floatType === 'float32') return value;
    return this.operator('Cast', [value], { to: elementTypes.float32.code });
  }

  /** A constant vector of int64: a shape, or indices. */
  integers(...values: number[]): Value {
    return this.constant({
      name: `int64:${values.join(',')}`,
      shape: [values.length],
      elementType: 'int64',
      read: async () => BigInt64Array.from(values, BigInt),
    });
  }

  /** Adds an operator of ONNX's own set that has one output, which may be named as the graph will give it to its caller. */
  operator(operator: string, inputs: readonly Value[], attributes: Attributes = {}, name?: string): Value {
    return this.#add({ operator, domain: '', inputs, attributes }, name);
  }

  /** Adds an operator of ONNX Runtime's set (docs/ContribOperators.md) that has one output. */
  contributed(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#add({ operator, domain: 'com.microsoft', inputs, attributes });
  }

  /** Cuts a value's last axis into three equal parts. */
  splitInThree(input: Value): [Value, Value, Value] {
    const outputs: [Value, Value, Value] = [this.#fresh('Split'), this.#fresh('Split'), this.#fresh('Split')];
    const attributes = { axis: -1, num_outputs: 3 };
    this.nodes.push({ operator: 'Split', domain: '', inputs: [input], outputs, attributes });
    return outputs;
  }

  /**
   * ONNX's Loop: runs `body` up to `count` times, while its first output says so. The body's inputs are the number of the
   * run, whether to go on, and the states; its outputs whether to go on, the next states, and what each run adds to the
   * series. Returns the last states, then the series, whose first axis is that of the runs.
   */
  loop(body: OnnxGraph, count: Value, states: readonly Value[]): readonly Value[] {
    const outputs = body.outputs.slice(1).map(() => this.#fresh('Loop'));
    this.nodes.push({
      operator: 'Loop',
      domain: '',
      inputs: [count, none, ...states],
      outputs,
      attributes: { body },
    });
    return outputs;
  }

  #add(node: Omit<Node, 'outputs'>, name: string = this.#fresh(node.operator)): Value {
    const output = name as Value;
    this.nodes.push({ ...node, outputs: [output] });
    return output;
  }

  #fresh(operator: string): Value {
    this.#named.count += 1;
    return `${operator}:${this.#named.count}` as Value;
  }
}

/** The constants of a graph and of the graphs inside it. */
export function constantsOf({ constants, nodes }: OnnxGraph): readonly Constant[] {
  const inside = nodes.flatMap(({ attributes: { body } }) => (body === undefined ? [] : constantsOf(body)));
  return [...constants.values(), ...inside];
}

/** Rounded to the nearest, ties to even. Constants that are not float32 stay as they are. */
function toFloat16(constant: Constant): Constant {
  if (constant.elementType !== 'float32') return constant;
  return {
    name: `${constant.name}:float16`,
    shape: constant.shape,
    elementType: 'float16',
    read: async () => Float16Array.from((await constant.read()) as Float32Array),
  };
}
