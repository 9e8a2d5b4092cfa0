import protobuf from 'protobufjs/light.js';
import { descriptor } from './descriptor.js';

/** One record of an event file; one of `fileVersion`, `graphDef`, `summary` and `sessionLog` is set. */
export interface BoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  /** An encoded GraphDef. */
  readonly graphDef?: Uint8Array;
  readonly summary?: { readonly value: readonly SummaryValue[] };
  readonly sessionLog?: { readonly status: number };
}

export interface SummaryValue {
  readonly tag: string;
  readonly simpleValue?: number;
  readonly histo?: Histogram;
  readonly image?: Image;
  readonly tensor?: Tensor;
  readonly metadata?: { readonly pluginData: { readonly pluginName: string; readonly content?: Uint8Array } };
}

/** Counts of numbers; bucket i reaches from `bucketLimit[i - 1]` to `bucketLimit[i]`. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
}

export interface Image {
  readonly height: number;
  readonly width: number;
  /** Channels. */
  readonly colorspace: number;
  /** A whole PNG or JPEG file. */
  readonly encodedImageString: Uint8Array;
}

export interface Tensor {
  readonly dtype: number;
  readonly tensorShape: Shape;
  readonly stringVal?: readonly Uint8Array[];
}

/** Extents; -1 is unknown. */
export interface Shape {
  readonly dim: ReadonlyArray<{ readonly size: number }>;
}

export interface GraphDef {
  readonly node: readonly NodeDef[];
  readonly versions: { readonly producer: number };
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, AttrValue>>;
}

export type AttrValue =
  | { readonly s: Uint8Array }
  | { readonly i: number }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly type: number }
  | { readonly shape: Shape }
  | { readonly list: { readonly i?: readonly number[]; readonly shape?: readonly Shape[] } };

/** What the HParams plugin keeps in the metadata of its summaries. */
export interface HParamsData {
  readonly version: number;
  readonly sessionStartInfo?: {
    readonly hparams: Readonly<Record<string, HParamValue>>;
    readonly startTimeSecs: number;
  };
  readonly sessionEndInfo?: { readonly status: number; readonly endTimeSecs: number };
}

export type HParamValue =
  | { readonly numberValue: number }
  | { readonly stringValue: string }
  | { readonly boolValue: boolean };

/** Numbers of tensorflow's enums. */
export const dataType = { float: 1, string: 7 } as const;
export const sessionStatus = { start: 1 } as const;
export const hparamsStatus = { success: 1 } as const;

const root = protobuf.Root.fromJSON(descriptor);
const eventType = root.lookupType('Event');
const graphDefType = root.lookupType('GraphDef');
const hparamsType = root.lookupType('HParamsPluginData');

export function encodeEvent(event: BoardEvent): Uint8Array {
  return eventType.encode(eventType.fromObject(event)).finish();
}

/** @throws when the bytes are no event */
export function decodeEvent(bytes: Uint8Array): BoardEvent {
  const options = { longs: Number, arrays: true, defaults: false };
  return { wallTime: 0, step: 0, ...eventType.toObject(eventType.decode(bytes), options) };
}

export function encodeGraphDef(graph: GraphDef): Uint8Array {
  return graphDefType.encode(graphDefType.fromObject(graph)).finish();
}

export function encodeHParams(data: HParamsData): Uint8Array {
  return hparamsType.encode(hparamsType.fromObject(data)).finish();
}
