import { dataType, encodeHParams, type HParamsData, type SummaryValue } from './messages.js';

export function scalar(tag: string, value: number): SummaryValue {
  return { tag, simpleValue: value };
}

/** Text of the Text page, in markdown. */
export function text(tag: string, markdown: string): SummaryValue {
  const bytes = new TextEncoder().encode(markdown);
  return {
    // the page drops this ending, which TensorFlow's own writers add
    tag: `${tag}/text_summary`,
    tensor: { dtype: dataType.string, tensorShape: { dim: [{ size: 1 }] }, stringVal: [bytes] },
    metadata: { pluginData: { pluginName: 'text' } },
  };
}

/** A summary of the HParams plugin, which keeps everything in the metadata. */
export function hparams(
  tag: 'session_start_info' | 'session_end_info',
  data: Omit<HParamsData, 'version'>,
): SummaryValue {
  const content = encodeHParams({ version: 0, ...data });
  return {
    tag: `_hparams_/${tag}`,
    tensor: { dtype: dataType.float, tensorShape: { dim: [{ size: 0 }] } },
    metadata: { pluginData: { pluginName: 'hparams', content } },
  };
}
