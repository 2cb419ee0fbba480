"""OpenVINO, converted from the PyTorch module."""
import openvino
import torch

from case import Case


def load(path, threads):
    case = Case(path)
    core = openvino.Core()
    with torch.no_grad():
        model = openvino.convert_model(case.net, example_input=case.inputs, input=[list(x.shape) for x in case.inputs])
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY",
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": True,
    })
    request = compiled.create_infer_request()
    for index, x in enumerate(case.inputs):
        request.set_input_tensor(index, openvino.Tensor(x.numpy()))

    def run():
        request.infer()
        return request.get_output_tensor(0).data

    return run, f"openvino {openvino.__version__.split('-')[0]}"
