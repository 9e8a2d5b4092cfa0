import type { IField, IMapField, INamespace } from 'protobufjs/light.js';

/**
 * The parts of TensorFlow's and the HParams plugin's messages that a training writes, with the numbers of their
 * .proto files: event, summary, histogram, tensor, tensor_shape, graph, node_def, attr_value, versions, struct
 * (google.protobuf.Value) and plugins/hparams/plugin_data. Fields that are not here are skipped when read.
 */
export const descriptor: INamespace = {
  nested: {
    Event: {
      oneofs: { what: { oneof: ['fileVersion', 'graphDef', 'summary', 'sessionLog'] } },
      fields: {
        wallTime: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        fileVersion: { type: 'string', id: 3 },
        graphDef: { type: 'bytes', id: 4 },
        summary: { type: 'Summary', id: 5 },
        sessionLog: { type: 'SessionLog', id: 7 },
      },
    },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },

    Summary: {
      fields: { value: { rule: 'repeated', type: 'Value', id: 1 } },
      nested: {
        Value: {
          oneofs: { value: { oneof: ['simpleValue', 'image', 'histo', 'tensor'] } },
          fields: {
            tag: { type: 'string', id: 1 },
            simpleValue: { type: 'float', id: 2 },
            image: { type: 'Image', id: 4 },
            histo: { type: 'HistogramProto', id: 5 },
            tensor: { type: 'TensorProto', id: 8 },
            metadata: { type: 'SummaryMetadata', id: 9 },
          },
        },
        Image: {
          fields: {
            height: { type: 'int32', id: 1 },
            width: { type: 'int32', id: 2 },
            colorspace: { type: 'int32', id: 3 },
            encodedImageString: { type: 'bytes', id: 4 },
          },
        },
      },
    },
    SummaryMetadata: {
      fields: { pluginData: { type: 'PluginData', id: 1 } },
      nested: {
        PluginData: {
          fields: { pluginName: { type: 'string', id: 1 }, content: { type: 'bytes', id: 2 } },
        },
      },
    },
    HistogramProto: {
      fields: {
        min: { type: 'double', id: 1 },
        max: { type: 'double', id: 2 },
        num: { type: 'double', id: 3 },
        sum: { type: 'double', id: 4 },
        sumSquares: { type: 'double', id: 5 },
        bucketLimit: { rule: 'repeated', type: 'double', id: 6, options: { packed: true } },
        bucket: { rule: 'repeated', type: 'double', id: 7, options: { packed: true } },
      },
    },
    TensorProto: {
      fields: {
        dtype: { type: 'int32', id: 1 },
        tensorShape: { type: 'TensorShapeProto', id: 2 },
        stringVal: { rule: 'repeated', type: 'bytes', id: 8 },
      },
    },
    TensorShapeProto: {
      fields: { dim: { rule: 'repeated', type: 'Dim', id: 2 } },
      nested: { Dim: { fields: { size: { type: 'int64', id: 1 } } } },
    },

    GraphDef: {
      fields: {
        node: { rule: 'repeated', type: 'NodeDef', id: 1 },
        versions: { type: 'VersionDef', id: 4 },
      },
    },
    VersionDef: { fields: { producer: { type: 'int32', id: 1 } } },
    NodeDef: {
      fields: {
        name: { type: 'string', id: 1 },
        op: { type: 'string', id: 2 },
        input: { rule: 'repeated', type: 'string', id: 3 },
        attr: map({ keyType: 'string', type: 'AttrValue', id: 5 }),
      },
    },
    AttrValue: {
      oneofs: { value: { oneof: ['list', 's', 'i', 'f', 'b', 'type', 'shape'] } },
      fields: {
        list: { type: 'ListValue', id: 1 },
        s: { type: 'bytes', id: 2 },
        i: { type: 'int64', id: 3 },
        f: { type: 'float', id: 4 },
        b: { type: 'bool', id: 5 },
        type: { type: 'int32', id: 6 },
        shape: { type: 'TensorShapeProto', id: 7 },
      },
      nested: {
        ListValue: {
          fields: {
            i: { rule: 'repeated', type: 'int64', id: 3, options: { packed: true } },
            shape: { rule: 'repeated', type: 'TensorShapeProto', id: 7 },
          },
        },
      },
    },

    HParamsPluginData: {
      oneofs: { data: { oneof: ['sessionStartInfo', 'sessionEndInfo'] } },
      fields: {
        version: { type: 'int32', id: 1 },
        sessionStartInfo: { type: 'SessionStartInfo', id: 3 },
        sessionEndInfo: { type: 'SessionEndInfo', id: 4 },
      },
    },
    SessionStartInfo: {
      fields: {
        hparams: map({ keyType: 'string', type: 'HParamValue', id: 1 }),
        startTimeSecs: { type: 'double', id: 5 },
      },
    },
    SessionEndInfo: {
      fields: { status: { type: 'int32', id: 1 }, endTimeSecs: { type: 'double', id: 2 } },
    },
    // google.protobuf.Value
    HParamValue: {
      oneofs: { kind: { oneof: ['numberValue', 'stringValue', 'boolValue'] } },
      fields: {
        numberValue: { type: 'double', id: 2 },
        stringValue: { type: 'string', id: 3 },
        boolValue: { type: 'bool', id: 4 },
      },
    },
  },
};

/** A map is a field with a key type; the library's own type of a message's fields forgets it. */
function map(field: IMapField): IField {
  return field;
}
