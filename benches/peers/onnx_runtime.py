"""ONNX Runtime on exports that differ in how attention is said, whichever is faster."""
from unittest import mock

import numpy
import onnxruntime
import torch

from case import Case, uvit
from cores import CORES, pin_caller
from fastest import fastest


def load(path, threads):
    pin_caller(CORES)
    case = Case(path)
    files = {"decomposed": export(case, 18), "Attention": export(case, 23)}
    with mock.patch.object(uvit.Attention, "forward", multi_head_attention):
        files["MultiHeadAttention"] = export(case, 20)
    run, name = fastest({name: session(case, file, threads) for name, file in files.items()})
    # The caller's thread is one of them.
    pin_caller(CORES[:1])
    return run, f"onnxruntime {onnxruntime.__version__}, {name}"


def multi_head_attention(self, x):
    """Attention as ONNX Runtime's own fused operator."""
    q, k, v = self.qkv(x).chunk(3, dim=-1)
    fused = torch.onnx.ops.symbolic("com.microsoft::MultiHeadAttention", (q, k, v), {"num_heads": self.heads}, dtype=x.dtype,
                                    shape=x.shape, version=1)
    return self.proj(fused)


def export(case, opset):
    file = case.folder / f"{opset}.onnx"
    torch.onnx.export(case.net, case.inputs, file, opset_version=opset, dynamo=True, external_data=False, verbose=False)
    return file


def session(case, file, threads):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    if threads > 1:
        affinities = ";".join(str(core + 1) for core in CORES[1:threads])
        options.add_session_config_entry("session.intra_op_thread_affinities", affinities)
    made = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    binding = made.io_binding()
    for wanted, x in zip(made.get_inputs(), case.inputs, strict=True):
        binding.bind_cpu_input(wanted.name, x.numpy())
    out = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty(case.inputs[0].shape, numpy.float32))
    binding.bind_ortvalue_output(made.get_outputs()[0].name, out)

    def run():
        made.run_with_iobinding(binding)
        return out.numpy()

    return run
