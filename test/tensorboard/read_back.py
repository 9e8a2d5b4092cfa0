"""Prints what TensorBoard itself finds in a folder of runs, as one line of JSON.

usage: read_back.py LOGDIR
Each further line on stdin makes it load again what has changed, as an open TensorBoard does, and print again. A line
may name what to wait for: RUN TAG STEP.
"""

import json
import logging
import os
import sys
import time

from tensorboard import context
from tensorboard.backend.event_processing import data_provider as python_provider
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.data import server_ingester
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
from tensorboard.util import grpc_util
from tensorboard.util import tensor_util

# what it says of files that were replaced is no news here
logging.getLogger("tensorboard").setLevel(logging.ERROR)

EVERYTHING = {"scalars": 0, "histograms": 0, "images": 0, "text": 0}


class PythonBackend:
    """The loader in Python, which loads when it is told to."""

    def __init__(self, logdir):
        self.logdir = logdir
        self.multiplexer = plugin_event_multiplexer.EventMultiplexer(
            size_guidance={"tensors": 0}, tensor_size_guidance=EVERYTHING
        )
        self.provider = python_provider.MultiplexerDataProvider(self.multiplexer, logdir)

    def load(self):
        self.multiplexer.AddRunsFromDirectory(self.logdir)
        self.multiplexer.Reload()


class RustBackend:
    """The data server that `tensorboard` starts by default; it loads again every second."""

    def __init__(self, logdir):
        self.ingester = server_ingester.SubprocessServerDataIngester(
            server_binary=server_ingester.get_server_binary(),
            logdir=logdir,
            reload_interval=1,
            channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
            samples_per_plugin=EVERYTHING,
        )
        self.ingester.start()
        self.provider = self.ingester.data_provider

    def load(self):
        pass


def backends(logdir):
    found = {"python": PythonBackend(logdir)}
    try:
        found["rust"] = RustBackend(logdir)
    except server_ingester.NoDataServerError as error:
        # there is none for this platform: TensorBoard itself uses the other
        print(error, file=sys.stderr)
    return found


CONTEXT = context.RequestContext()


def scalars(provider):
    read = provider.read_scalars(CONTEXT, experiment_id="", plugin_name="scalars", downsample=100000)
    return {
        run: {tag: [[datum.step, datum.value] for datum in data] for tag, data in tags.items()}
        for run, tags in read.items()
    }


def tensors(provider, plugin):
    read = provider.read_tensors(CONTEXT, experiment_id="", plugin_name=plugin, downsample=100000)
    return {
        run: {tag: [[datum.step, datum.numpy] for datum in data] for tag, data in tags.items()}
        for run, tags in read.items()
    }


def texts(provider):
    return {
        run: {tag: [value.item().decode("utf-8") for _, value in data] for tag, data in tags.items()}
        for run, tags in tensors(provider, "text").items()
    }


def histograms(provider):
    """Of each, the step and the sum of its counts."""
    return {
        run: {tag: [[step, float(value[:, 2].sum())] for step, value in data] for tag, data in tags.items()}
        for run, tags in tensors(provider, "histograms").items()
    }


def images(provider):
    """Of each, the step and the sizes of its pictures' files."""
    read = provider.read_blob_sequences(CONTEXT, experiment_id="", plugin_name="images", downsample=100000)
    size = lambda key: len(provider.read_blob(CONTEXT, blob_key=key))
    return {
        run: {tag: [[datum.step, [size(value.blob_key) for value in datum.values][2:]] for datum in data]
              for tag, data in tags.items()}
        for run, tags in read.items()
    }


def graphs(provider):
    from tensorboard.compat.proto import graph_pb2

    read = provider.read_blob_sequences(CONTEXT, experiment_id="", plugin_name="graphs", downsample=1)
    found = {}
    for run, tags in read.items():
        for data in tags.values():
            graph = graph_pb2.GraphDef()
            graph.ParseFromString(provider.read_blob(CONTEXT, blob_key=data[-1].values[0].blob_key))
            found[run] = [
                {
                    "name": node.name,
                    "op": node.op,
                    "input": list(node.input),
                    "shapes": [[dim.size for dim in shape.dim] for shape in node.attr["_output_shapes"].list.shape],
                }
                for node in graph.node
            ]
    return found


def sessions(provider):
    """As the HParams page lists them."""
    backend = backend_context.Context(TensorBoardContext(provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0,
        slice_size=1000,
        allowed_statuses=[0, 1, 2, 3],
    )
    handler = list_session_groups.Handler(CONTEXT, backend, "", request)
    return [
        {
            "name": session.name,
            "status": session.status,
            "hparams": {name: plain(value) for name, value in group.hparams.items()},
            "metrics": {
                f"{metric.name.group}.{metric.name.tag}": [metric.training_step, metric.value]
                for metric in session.metric_values
            },
        }
        for group in handler.run().session_groups
        for session in group.sessions
    ]


def plain(value):
    return getattr(value, value.WhichOneof("kind"))


class TensorBoardContext:
    def __init__(self, provider):
        self.data_provider = provider
        self.multiplexer = None
        self.logdir = None


def everything(provider):
    return {
        "scalars": scalars(provider),
        "texts": texts(provider),
        "histograms": histograms(provider),
        "images": images(provider),
        "graphs": graphs(provider),
        "sessions": sessions(provider),
    }


def wait(backend, run, tag, step):
    # what has not come after a minute does not come: the caller sees what there is
    for _ in range(300):
        backend.load()
        points = scalars(backend.provider).get(run, {}).get(tag, [])
        if any(point[0] >= step for point in points):
            return
        time.sleep(0.2)


def main():
    found = backends(os.path.abspath(sys.argv[1]))
    for line in sys.stdin:
        run, tag, step = json.loads(line)
        for backend in found.values():
            wait(backend, run, tag, step)
        print(json.dumps({name: everything(backend.provider) for name, backend in found.items()}), flush=True)


main()
