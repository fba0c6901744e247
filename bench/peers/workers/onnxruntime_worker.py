"""The peer "onnxruntime": its LSTM, GRU and RNN operators; one run() a batch, or a step."""
import numpy as np
import onnxruntime
from common import Case, Prepared, serve
from onnx_graph import build, zero_states


def session(case: Case, time_steps: int, with_state: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")  # its threads sleep between two runs
    return onnxruntime.InferenceSession(build(case, time_steps, with_state), options,
                                        providers=["CPUExecutionProvider"])


def prepare(case: Case) -> Prepared:
    x, version = case.arrays["x"], onnxruntime.__version__
    if case.mode == "infer":
        runtime, result = session(case, case.T, False), [x]

        def run() -> None:
            result[0] = runtime.run(None, {"x": x})[0]

        return Prepared(version, run, lambda: {"y": result[0]})
    runtime, states = session(case, 1, True), zero_states(case)
    steps, names = [x[t:t + 1] for t in range(case.T)], list(states)
    outputs = list(steps)

    def run_steps() -> None:
        for t, step in enumerate(steps):
            outputs[t], *ahead = runtime.run(None, {"x": step, **states})
            states.update(zip(names, ahead))

    return Prepared(version, run_steps, lambda: {"y": np.concatenate(outputs)}, case.T)


if __name__ == "__main__":
    serve(prepare)
