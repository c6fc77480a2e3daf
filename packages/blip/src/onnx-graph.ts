/** Element types of values and constants; `code` is their number in onnx.proto3's TensorProto.DataType. */
export const elementTypes = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int64: { code: 7, bytes: 8 },
} as const;
export type ElementType = keyof typeof elementTypes;

/** A value that flows through the graph, by name. */
export type Value = string & { readonly __brand: 'onnx value' };

/**
 * A constant. Its shape is known while the graph is built; `read` gives its row-major values later, when the weights
 * are written, so that one tensor at a time is in memory. Constants of one name are one constant.
 */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elementType: ElementType;
  read(): Promise<Float32Array | BigInt64Array | Int8Array | Uint8Array>;
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
export type Attributes = {
  readonly [Name in AttributeName]?: (typeof attributeKinds)[Name] extends 'ints' ? readonly number[] : number;
};

/** '' is ONNX's own operator set; com.microsoft holds those that ONNX Runtime adds. */
export type Domain = '' | 'com.microsoft';

export interface Node {
  readonly operator: string;
  readonly domain: Domain;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** Collects the nodes, constants and ports of one ONNX graph in the order in which they run. */
export class OnnxGraph {
  readonly name: string;
  readonly nodes: Node[] = [];
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  readonly constants = new Map<string, Constant>();
  #values = 0;

  constructor(name: string) {
    this.name = name;
  }

  input(port: Port): Value {
    this.inputs.push(port);
    return port.name as Value;
  }

  /** Gives a value to the caller of the graph under the port's name. */
  output(port: Port, value: Value): void {
    this.outputs.push(port);
    this.nodes.push({
      operator: 'Identity',
      domain: '',
      inputs: [value],
      outputs: [port.name as Value],
      attributes: {},
    });
  }

  constant(constant: Constant): Value {
    this.constants.set(constant.name, constant);
    return constant.name as Value;
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

  /** Adds an operator of ONNX's own set that has one output. */
  operator(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#add(operator, '', inputs, attributes);
  }

  /** Adds an operator of ONNX Runtime's set (docs/ContribOperators.md) that has one output. */
  contributed(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#add(operator, 'com.microsoft', inputs, attributes);
  }

  /** Cuts a value's last axis into three equal parts. */
  splitInThree(input: Value): [Value, Value, Value] {
    const outputs: [Value, Value, Value] = [this.#fresh('Split'), this.#fresh('Split'), this.#fresh('Split')];
    const attributes = { axis: -1, num_outputs: 3 };
    this.nodes.push({ operator: 'Split', domain: '', inputs: [input], outputs, attributes });
    return outputs;
  }

  #add(operator: string, domain: Domain, inputs: readonly Value[], attributes: Attributes): Value {
    const output = this.#fresh(operator);
    this.nodes.push({ operator, domain, inputs, outputs: [output], attributes });
    return output;
  }

  #fresh(operator: string): Value {
    this.#values += 1;
    return `${operator}:${this.#values}` as Value;
  }
}
