"""The peer "openvino": the ONNX model of "onnxruntime", compiled for the CPU; one inference a batch, or a step."""
import numpy as np
import openvino
from common import Case, Prepared, serve
from onnx_graph import build, zero_states

SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "CPU_DENORMALS_OPTIMIZATION": "YES"}


def compiled(case: Case, time_steps: int, with_state: bool) -> openvino.CompiledModel:
    core = openvino.Core()
    model = core.read_model(model=build(case, time_steps, with_state))
    return core.compile_model(model, "CPU", SETTINGS | {"INFERENCE_NUM_THREADS": case.threads})


def prepare(case: Case) -> Prepared:
    x, version = np.ascontiguousarray(case.arrays["x"]), openvino.__version__.split("-")[0]
    if case.mode == "infer":
        request = compiled(case, case.T, False).create_infer_request()

        def run() -> None:
            request.infer({"x": x}, share_inputs=True, share_outputs=True)

        return Prepared(version, run, lambda: {"y": request.get_tensor("y").data.copy()})
    request, states = compiled(case, 1, True).create_infer_request(), zero_states(case)
    steps, outputs = [x[t:t + 1] for t in range(case.T)], [x] * case.T

    def run_steps() -> None:
        for t, step in enumerate(steps):
            request.infer({"x": step, **states}, share_inputs=True, share_outputs=True)
            outputs[t] = request.get_tensor("y").data.copy()
            for name, state in states.items():
                state[:] = request.get_tensor(f"next_{name}").data

    return Prepared(version, run_steps, lambda: {"y": np.concatenate(outputs)}, case.T)


if __name__ == "__main__":
    serve(prepare)
