"""CUDA graphs: a row's few hundred kernels in one launch."""

from collections.abc import Callable

import torch

from vaeedu.pixelcnn.fast.incremental import RowProgram


def captured(program: RowProgram) -> Callable[[], None]:
    """Records one row's work as a CUDA graph: a few hundred kernels are then one launch, without Python in between.

    This works because every row does the same, on the same buffers.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):  # libraries set themselves up in the first runs, which may not be recorded
            program.run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        program.run()
    program.reset()
    return graph.replay
